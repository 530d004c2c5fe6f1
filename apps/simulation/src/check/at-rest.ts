import type { World } from '../world.ts'

/** I5, and what is left of I6: once all has come to rest, every attempt is told once and nothing is left over. */
export function checkAtRest(world: World): void {
  const { database, checker, machines, faults } = world
  const { accounts, log } = database.majority
  checker.timePassed()
  const entries = [...log.values()]
  for (const account of accounts.values()) {
    const state = checker.state(account.id)!
    const { status, attempt, outbox, failure } = account
    if (status === 'removing') checker.fail('I6', 'a removal was never finished')
    if (attempt !== null) checker.fail('I6', `an attempt is left ${attempt.state}`)
    if (outbox.length > 0) checker.fail('I6', 'something was never told')
    if (status === 'quarantined' || status === 'needs_action') checker.fail('I6', `left ${status}: ${failure?.code}`)
    if (state.presentBy !== null) checker.fail('I6', 'not presented again after a death')
    if (status === 'needs_reconnect' && checker.isRecoverable(account.id)) {
      checker.fail('I6', 'given up, while a credential is still accepted')
    }
    const logged = new Map(entries.filter(({ accountId }) => accountId === account.id).map((one) => [one.id, one]))
    for (const id of state.begun.keys()) {
      const entry = logged.get(id)
      if (!entry) checker.fail('I5', `attempt ${id} began and is not in the log`)
      else if ((entry.outcome === 'refreshed') !== state.committed.has(id)) {
        checker.fail('I5', `attempt ${id} is told as ${entry.outcome}`)
      }
    }
    for (const id of logged.keys())
      if (!state.begun.has(id)) checker.fail('I5', `attempt ${id} is told and never began`)
  }
  for (const { accountId } of entries) {
    // A process that dies as it tells of an account which is removed meanwhile leaves what it has told.
    if (!accounts.has(accountId) && faults.struck.length === 0)
      checker.fail('I5', 'the log of a removed account is left')
  }
  for (const { spools, name } of machines) {
    if (spools.some(({ results }) => results.size > 0)) checker.fail('I6', `a spool of ${name} is never emptied`)
  }
}
