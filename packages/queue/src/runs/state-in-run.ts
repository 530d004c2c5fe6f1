import { type Account, attemptKey, MINUTE, SECOND } from '@tokenkeeper/core'
import type { Run, SeenAccount } from '@tokenkeeper/store'
import type { RunResult } from './totals.ts'

/**
 * Where an outcome is unknown, the token is presented again after 1 s, 2 s, 4 s and so on. A run waits while these waits
 * (ms) are no longer than this; what takes more is left to the recovery.
 */
const WAITS_FOR_MS = 10 * SECOND
/** A live attempt whose lease ends later than that was put off, and its owner is gone; clocks may differ by some minutes. */
const LONGEST_LEASE_MS = 10 * MINUTE

/**
 * What became of an account since its window was begun. `open`: nothing yet, it is to be enqueued. `awaited`: an attempt
 * stands that its owner, or the recovery, ends soon. Looks at what differs from what was seen then, and compares no times
 * of different machines; but for an attempt from before the run, where a wrong clock only makes it wait or defer.
 */
export function stateInRun(
  { filter: { dueBefore } }: Pick<Run, 'filter'>,
  account: Account,
  seen: SeenAccount,
  now: number,
): RunResult | 'open' | 'awaited' {
  const { attempt, lastAttempt, snoozedAt, nextRefreshAt, status } = account
  if (attemptKey(lastAttempt) !== seen.attempted) {
    if (lastAttempt?.outcome === 'refreshed') return 'refreshed'
    return attempt !== null && endsSoon(account, attempt, now) ? 'awaited' : 'failed'
  }
  if (status !== 'active') return 'skipped'
  if (snoozedAt !== seen.snoozedAt) return 'deferred'
  if (attempt !== null) return endsSoon(account, attempt, now) ? 'awaited' : 'deferred'
  if (dueBefore !== undefined && nextRefreshAt > dueBefore) return 'skipped'
  return 'open'
}

function endsSoon(
  { lastAttempt }: Pick<Account, 'lastAttempt'>,
  { state, beganAt, leaseUntil, notBefore }: NonNullable<Account['attempt']>,
  now: number,
): boolean {
  if (state === 'live') return leaseUntil - now <= LONGEST_LEASE_MS
  return notBefore <= now || notBefore - (lastAttempt?.at ?? beganAt) <= WAITS_FOR_MS
}
