import type { Account, Attempt } from '@tokenkeeper/core'
import { toCodedError } from '@tokenkeeper/core'
import type { EngineDeps } from './deps.ts'
import { type Flight, presentedDigest } from './flight.ts'
import type { RefreshOptions } from './outcome.ts'
import { type NotReady, type Prepared, waitFor } from './prepare.ts'
import { relayItems } from './relay.ts'
import { begin } from './writes/attempt-writes.ts'

/**
 * Step 3. Writes the attempt; this write is also the probe: a store that cannot take it cannot take an answer either.
 * An acknowledgement that is lost, or a batch that did not match in full, is settled by reading again.
 */
export async function beginAttempt(
  deps: EngineDeps,
  prepared: Prepared,
  options: RefreshOptions,
): Promise<{ readonly ready: true; readonly flight: Flight } | NotReady> {
  const { account } = prepared
  const startedAt = deps.clock.monotonic()
  const attempt = newAttempt(deps, prepared, options)
  const flight: Flight = { ...prepared, attempt, startedAt, recovery: account.attempt !== null }
  const write = begin(account, attempt)

  await deps.hook('begin.before-write', account.id)
  const written = await deps.store.accounts.write(write).catch(() => false)
  if (!written) {
    const lost = await whoWon(deps, account, attempt)
    if (lost) return lost
  }
  await deps.hook(flight.recovery ? 'recovery.begin-acked' : 'begin.acked', account.id)
  await relayItems(deps, account.id, write.change.tell ?? [])
  return { ready: true, flight }
}

function newAttempt(deps: EngineDeps, prepared: Prepared, options: RefreshOptions): Attempt {
  const { account, provider, credential, tookOverEarly } = prepared
  const standing = account.attempt
  const now = deps.clock.now()
  return {
    id: deps.makeId(),
    state: 'live',
    workerId: deps.workerId,
    jobId: options.job?.id ?? null,
    jobRun: options.job?.run ?? 0,
    tookOverEarly,
    refreshType: options.type,
    beganAt: now,
    leaseUntil: now + deps.times.leaseMs,
    firstSentAt: standing?.firstSentAt ?? now,
    unknownSince: standing === null ? null : standing.state === 'live' ? now : standing.unknownSince,
    notBefore: 0,
    presentedDigest: presentedDigest(provider, credential),
  }
}

/** Null if the write is ours after all. */
async function whoWon(deps: EngineDeps, account: Account, attempt: Attempt): Promise<NotReady | null> {
  try {
    const fresh = await deps.store.accounts.get(account.id)
    if (fresh === null || fresh.status === 'removing')
      return { ready: false, outcome: { kind: 'skipped', reason: 'not_found' } }
    if (fresh.attempt?.id === attempt.id) return null
    if (fresh.generation !== account.generation) return { ready: false, outcome: { kind: 'fenced' } }
    const asRead =
      fresh.attempt?.id === account.attempt?.id && fresh.attempt?.leaseUntil === account.attempt?.leaseUntil
    if (asRead && fresh.status !== account.status)
      return { ready: false, outcome: { kind: 'skipped', reason: 'not_active' } }
    // Nobody was faster: the write itself failed. If it lands later, it is a stale attempt and ages.
    if (asRead) return { ready: false, outcome: { kind: 'not_begun', code: 'STORE_UNAVAILABLE' } }
    const { attempt: standing } = fresh
    if (standing === null) return { ready: false, outcome: { kind: 'fenced' } }
    return { ready: false, outcome: waitFor(standing) }
  } catch (error) {
    return { ready: false, outcome: { kind: 'not_begun', code: toCodedError(error).code } }
  }
}
