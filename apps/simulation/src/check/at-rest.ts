import { type Account, HOUR, MINUTE, type RefreshLogEntry } from '@tokenkeeper/core'
import type { World } from '../world.ts'

/** Of two machines, at the most. */
const CLOCKS_DIFFER_MS = MINUTE

/** I5 and I6, once all has come to rest: every attempt is told once, and nothing is left over. */
export function checkAtRest(world: World): void {
  const { database, checker, machines } = world
  checker.changedOutside('time passed')
  for (const account of database.majority.accounts.values()) {
    checkFinished(world, account)
    checkDue(world, account)
    checkLog(world, account)
  }
  for (const { spools, name } of machines) {
    if (spools.some(({ results }) => results.size > 0)) checker.fail('I6', `a spool of ${name} is never emptied`)
  }
  // A process that dies as it tells of an account which is removed meanwhile leaves what it has told.
  if (world.faults.struck.length > 0) return
  for (const { accountId } of database.majority.log.values()) {
    if (!database.majority.accounts.has(accountId)) checker.fail('I5', 'the log of a removed account is left')
  }
}

function checkFinished({ checker }: World, { id, status, attempt, outbox, failure }: Account): void {
  if (status === 'removing') checker.fail('I6', 'a removal was never finished')
  if (attempt !== null) checker.fail('I6', `an attempt is left ${attempt.state}`)
  if (outbox.length > 0) checker.fail('I6', 'something was never told')
  if (status === 'quarantined' || status === 'needs_action') checker.fail('I6', `left ${status}: ${failure?.code}`)
  const cameBackBy = checker.state(id)?.cameBackBy
  if (cameBackBy) checker.fail('I3', `${cameBackBy} brought a removed account back`)
  if (checker.state(id)?.presentBy !== null) checker.fail('I6', 'not presented again after a death')
  const isGivenUp = status === 'needs_reconnect' && checker.isRecoverable(id)
  if (isGivenUp) checker.fail('I6', 'given up, while a credential is still accepted')
}

/** What works falls due again: before it dies, and no later than the policy's longest wait. */
function checkDue({ checker, plan, scheduler }: World, account: Account): void {
  const { id, status, nextRefreshAt, diesAt, lastRefreshedAt, connectedAt, snoozedAt } = account
  // What is tried again after a failure has not come to rest.
  if (status !== 'active') return
  // A life shorter than the policy's shortest wait is left to end.
  const soonest = (lastRefreshedAt ?? connectedAt) + HOUR
  // What was put off when its end was over already will be found dead.
  const isPutOff = diesAt !== null && (snoozedAt ?? 0) >= diesAt
  if (diesAt !== null && nextRefreshAt >= diesAt && nextRefreshAt > soonest && !isPutOff) {
    checker.fail('I6', 'it falls due only after its credential has died')
  }
  const isRotated = checker.state(id)!.kind === 'grace'
  if (isRotated && nextRefreshAt > scheduler.now() + plan.rotateEveryMs + CLOCKS_DIFFER_MS) {
    checker.fail('I6', 'it falls due later than the policy says')
  }
}

function checkLog({ checker, database }: World, { id }: Account): void {
  const { begun, committed } = checker.state(id)!
  const entries = [...database.majority.log.values()].filter(({ accountId }) => accountId === id)
  const logged = new Map(entries.map((entry): [string, RefreshLogEntry] => [entry.id, entry]))
  for (const attemptId of begun.keys()) {
    const entry = logged.get(attemptId)
    if (!entry) checker.fail('I5', `attempt ${attemptId} began and is not in the log`)
    else if ((entry.outcome === 'refreshed') !== committed.has(attemptId)) {
      checker.fail('I5', `attempt ${attemptId} is told as ${entry.outcome}`)
    }
  }
  for (const attemptId of logged.keys()) {
    if (!begun.has(attemptId)) checker.fail('I5', `attempt ${attemptId} is told and never began`)
  }
}
