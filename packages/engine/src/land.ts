import { type Account, CodedError, SAME_END_MS, SECOND, within } from '@tokenkeeper/core'
import type { Refreshed } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'
import { isWarning } from './due.ts'
import type { Flight } from './flight.ts'
import { logOut } from './log-out.ts'
import type { RefreshOutcome } from './outcome.ts'
import { relayAccount, relayItems } from './relay.ts'
import type { RefreshResult } from './result.ts'
import { sealResult } from './seal-result.ts'
import { wasRemoved } from './was-removed.ts'
import { commit, committedOn } from './writes/commit-write.ts'

/**
 * `committed`: in the store. `fenced`: a newer generation stands there. `gone`: the account is removed or being removed.
 * `spooled`: the store is away; the sealed result is on disk and will be replayed. `shorter`: the stored token lives
 * longer, so it was kept.
 */
export type Landing = 'committed' | 'fenced' | 'gone' | 'spooled' | 'shorter'

/**
 * Step 5: gets an answer into the store. A result is never dropped while the generation is still its own: what is not
 * acknowledged in time, or fails, goes to the spool at once, and the store is tried again.
 */
export async function land(deps: EngineDeps, flight: Flight, answer: Refreshed): Promise<Landing> {
  if (await wouldShorten(deps, flight, answer)) return 'shorter'
  const result = sealResult(deps, flight, answer)
  await deps.hook('commit.before-write', result.accountId)
  const landing = await commitOrSpool(deps, result, { ...flight.account, attempt: flight.attempt })
  if (landing === 'committed') {
    const { accountId, generation, nextRefreshAt } = result
    const fields = { accountId, generation: generation + 1, next: new Date(nextRefreshAt).toISOString() }
    deps.logger.info(fields, `refreshed ${flight.account.displayName}`)
  }
  if (landing === 'gone') await logOut(deps, flight.provider, flight.account, [answer.credential])
  return landing
}

export function landedOutcome(flight: Flight, landing: Landing): RefreshOutcome {
  if (landing === 'committed') return { kind: 'refreshed', generation: flight.account.generation + 1 }
  return landing === 'spooled' ? { kind: 'spooled' } : { kind: 'fenced' }
}

/** A token that goes on working is never replaced by one that ends sooner, unless it is proved dead. */
async function wouldShorten(
  deps: EngineDeps,
  { account, provider, credential }: Flight,
  answer: Refreshed,
): Promise<boolean> {
  if (provider.kind !== 'extend' || account.diesAt === null || answer.diesAt === null) return false
  if (answer.diesAt > account.diesAt - SAME_END_MS || account.diesAt <= deps.clock.now()) return false
  return (await provider.confirmDead(account, credential)) !== 'dead'
}

async function commitOrSpool(deps: EngineDeps, result: RefreshResult, seen: Account): Promise<Landing> {
  const stop = new AbortController()
  let trouble = () => {}
  const inTrouble = new Promise<'trouble'>((resolve) => {
    trouble = () => resolve('trouble')
  })
  const committing = commitUntilSettled(deps, result, seen, trouble, stop.signal)
  const committedWithin = (ms: number) => within(deps.clock, ms, committing, () => 'trouble' as const)
  try {
    const first = await Promise.race([committedWithin(deps.times.ackMs), inTrouble])
    if (first !== 'trouble') return first
    while (!(await spool(deps, result))) {
      // Neither store nor spool: the answer lives in this process alone, which holds it until one of them takes it.
      const later = await committedWithin(SECOND)
      if (later !== 'trouble') return later
    }
    const landing = await committedWithin(deps.times.commitPatienceMs)
    if (landing === 'trouble') return 'spooled'
    await eraseSpooled(deps, result)
    return landing
  } finally {
    stop.abort('landed')
  }
}

/** Tries until the commit is in, or is no longer wanted; `spooled` when told to stop. Never rejects. */
async function commitUntilSettled(
  deps: EngineDeps,
  result: RefreshResult,
  seen: Account,
  onTrouble: () => void,
  stop: AbortSignal,
): Promise<Landing> {
  let account: Account | null = seen
  for (let waitMs = 20; ; waitMs = Math.min(2 * SECOND, waitMs * 2)) {
    try {
      const landing = await commitOnce(deps, result, account)
      if (landing !== 'again') return landing
    } catch (error) {
      deps.logger.warn({ accountId: result.accountId, err: error }, 'commit failed; trying again')
      onTrouble()
    }
    if (account === null) await deps.clock.sleep(waitMs, stop)
    if (stop.aborted) return 'spooled'
    account = null
  }
}

/**
 * One try: reads, unless the account is as just seen, and writes. The read tells whether an earlier write of this
 * attempt arrived although its acknowledgement was lost.
 */
export async function commitOnce(
  deps: Pick<EngineDeps, 'store' | 'clock' | 'hook' | 'logger' | 'journal' | 'inBackground' | 'providers'>,
  result: RefreshResult,
  seen: Account | null,
): Promise<'committed' | 'fenced' | 'gone' | 'again'> {
  const account = seen ?? (await deps.store.accounts.get(result.accountId))
  if (account === null) return missing(deps, result)
  if (account.status === 'removing') return 'gone'
  const committed = committedOn(account, result.attempt.id)
  if (committed !== null) {
    deps.journal.append({ kind: 'refreshed', result: { ...result, generation: committed } })
    await relayAccount(deps, result.accountId)
    return 'committed'
  }
  const isOfOtherLogin = account.connectId !== result.connectId
  // First: a store that is older may not know this login yet, which a journal or another restore may bring.
  if (account.generation < result.generation && !(isOfOtherLogin && account.connectedAt > result.answeredAt)) {
    throw new CodedError('STORE_UNAVAILABLE', {
      internal: 'the store is older than this answer: restored from a backup?',
    })
  }
  if (isOfOtherLogin) return 'fenced'
  if (account.generation > result.generation && !outlives(deps, result, account)) return 'fenced'
  const current = { ...result, generation: account.generation }
  const write = commit(account, current, deps.clock.now())
  if (!(await deps.store.accounts.write(write))) return 'again'
  deps.journal.append({ kind: 'refreshed', result: current })
  if (isWarning(result.note)) {
    deps.logger.warn({ accountId: result.accountId, code: result.note }, `connect ${account.displayName} again soon`)
  }
  await deps.hook('commit.acked-before-relay', result.accountId)
  const relayed = relayItems(deps, result.accountId, write.change.tell ?? [])
  // What the commit tells is in the account until it is copied.
  if (deps.inBackground) deps.inBackground(relayed)
  else await relayed
  return 'committed'
}

/**
 * Tokens that are extended do not end each other. Of several answers to one token, the one that got in first may be the
 * one that ends first; then the other is worth more than what stands there.
 */
function outlives({ providers }: Pick<EngineDeps, 'providers'>, { diesAt }: RefreshResult, account: Account): boolean {
  if (providers.get(account.platform)?.kind !== 'extend' || diesAt === null || account.diesAt === null) return false
  return diesAt > account.diesAt + SAME_END_MS
}

/** Only a removal that was noted makes an answer worthless; else this is another database, or one restored. */
async function missing(deps: Pick<EngineDeps, 'store'>, { accountId }: RefreshResult): Promise<'gone'> {
  if (await wasRemoved(deps, accountId)) return 'gone'
  throw new CodedError('STORE_UNAVAILABLE', { internal: 'the account is missing, and nobody removed it' })
}

async function spool(deps: EngineDeps, result: RefreshResult): Promise<boolean> {
  try {
    await deps.spool.put(result)
    deps.logger.warn({ accountId: result.accountId, attemptId: result.attempt.id }, 'store away: answer spooled')
    return true
  } catch (error) {
    deps.logger.error({ accountId: result.accountId, err: error }, 'answer could not be spooled: held in memory')
    return false
  }
}

async function eraseSpooled(deps: EngineDeps, result: RefreshResult): Promise<void> {
  await deps.hook('relay.before-spool-erase', result.accountId)
  deps.spool.erase(result.attempt.id)
}
