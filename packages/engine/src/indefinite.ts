import type { ErrorCode, Failure, HaltVerdict, IndefiniteVerdict, RetryVerdict, SnoozeVerdict } from '@tokenkeeper/core'
import { backOffMs, GRACE_MS, MINUTE, nextFailure, releaseBackOffMs } from '@tokenkeeper/core'
import type { AccountWrite } from '@tokenkeeper/store'
import type { EngineDeps } from './deps.ts'
import { type Flight, recoveryDeadline } from './flight.ts'
import { comeBackAt, noteRefusal } from './halts.ts'
import type { RefreshOutcome } from './outcome.ts'
import { writeAndRelay } from './relay.ts'
import { soonAfter } from './spread.ts'
import { fail, park, release } from './writes/attempt-writes.ts'

/** Refusals that may be the fault of one account are repeated this soon, so that those of several come together (ms). */
const SUSPECT_AGAIN_MS = 10 * MINUTE
/** After so many of them in a row it is the account. */
const SUSPECT_TRIES = 3

/** Every verdict but a dead code. */
export async function concludeIndefinite(
  deps: EngineDeps,
  flight: Flight,
  verdict: IndefiniteVerdict,
): Promise<RefreshOutcome> {
  const { code } = verdict
  switch (verdict.kind) {
    case 'retry':
      return verdict.spent === 'unknown' ? concludeUnknown(deps, flight, code) : concludeRetry(deps, flight, verdict)
    case 'snooze':
      return concludeLimited(deps, flight, verdict)
    case 'halt':
      return concludeHalt(deps, flight, verdict)
    case 'bug':
      deps.logger.error({ accountId: flight.account.id, code, internal: verdict.internal }, 'our request was wrong')
      return concludeFailed(deps, flight, { class: 'bug', code })
    case 'needs_action':
      return concludeParked(deps, flight, code)
  }
}

async function concludeRetry(deps: EngineDeps, flight: Flight, verdict: RetryVerdict): Promise<RefreshOutcome> {
  const { code, at, parkAfter } = verdict
  if (parkAfter !== undefined && (await isInARow(deps, flight, code, parkAfter))) {
    return concludeParked(deps, flight, code)
  }
  return concludeFailed(deps, flight, { class: 'transient', code }, at)
}

/** A limit of the app is the fleet's, one of the host is this process's, others are the account's alone. */
async function concludeLimited(deps: EngineDeps, flight: Flight, verdict: SnoozeVerdict): Promise<RefreshOutcome> {
  const { code, scope, until } = verdict
  const { account } = flight
  // No budget that comes back by itself: somebody should look at what this app does for the account.
  if (code === 'META_UNUSUAL_CALLS') deps.logger.error({ accountId: account.id, code }, 'calls found unusual')
  if (scope === 'host') await pauseHost(deps, flight, until)
  const halt = scope === 'app' ? await noteRefusal(deps, account, verdict, account.id) : null
  const at = halt === null ? until : comeBackAt(halt, deps.clock.now())
  return concludeFailed(deps, flight, { class: 'rate_limited', code }, at)
}

/**
 * Our app was refused. Nobody's account is at fault, so none changes status, and each comes back to look whether the halt
 * is over. But for a refusal that may be the account's own: if it comes again and again, and no others meet it, it is.
 */
async function concludeHalt(deps: EngineDeps, flight: Flight, verdict: HaltVerdict): Promise<RefreshOutcome> {
  const { code } = verdict
  const { account } = flight
  const halt = await noteRefusal(deps, account, verdict, account.id)
  const cause = { class: 'transient', code } as const
  const now = deps.clock.now()
  if (halt?.state === 'halted') return concludeFailed(deps, flight, cause, comeBackAt(halt, now))
  if (halt?.state === 'suspected' && (await isInARow(deps, flight, code, SUSPECT_TRIES))) {
    return concludeParked(deps, flight, code)
  }
  return concludeFailed(deps, flight, cause, now + SUSPECT_AGAIN_MS)
}

/**
 * Has the account failed so many times in a row with this code, this time included? The log tells, since the failure's
 * count goes on whatever the code; entries of Pages, of which there may be many between, do not count. What cannot be
 * known is not so.
 */
async function isInARow({ store }: EngineDeps, { account }: Flight, code: ErrorCode, times: number): Promise<boolean> {
  const before = times - 1
  if (account.failure === null || account.failure.count < before) return false
  for (let limit = before; ; limit *= 10) {
    const entries = await store.log.list({ accountId: account.id, limit }).catch(() => [])
    const latest = entries.filter(({ pageId }) => pageId === null).slice(0, before)
    if (latest.length < before && entries.length === limit) continue
    return latest.length === before && latest.every(({ errorCode }) => errorCode === code)
  }
}

/** Only the user, or an operator, can see to it; it is tried again once a day. */
async function concludeParked(deps: EngineDeps, flight: Flight, code: ErrorCode): Promise<RefreshOutcome> {
  const now = deps.clock.now()
  const failure = nextFailure(flight.account.failure, { class: 'needs_action', code }, now)
  const probeAt = now + deps.times.needsActionProbeMs
  const mayStillAnswer = flight.provider.kind === 'grace' && now < flight.attempt.firstSentAt + GRACE_MS
  const retryAt = mayStillAnswer ? soon(deps, flight, failure, now) : probeAt
  const write = park(flight, now, { probeAt, retryAt }, failure, code)
  return writeVerdict(deps, flight, write, { kind: 'needs_action', code })
}

/** Spares the host the other accounts' requests. Where that cannot be noted, each of them is told by the host itself. */
export async function pauseHost(
  deps: EngineDeps,
  { account, provider }: Pick<Flight, 'account' | 'provider'>,
  until: number,
): Promise<void> {
  const host = provider.hostOf(account)
  try {
    await deps.pacing.pause({ platform: account.platform, host }, until)
  } catch (error) {
    deps.logger.warn({ host, err: error }, 'that the host asked to wait could not be noted')
  }
}

/** Time-out, reset, 5xx, an answer that cannot be read: the token may have been spent, so it is presented again soon. */
async function concludeUnknown(deps: EngineDeps, flight: Flight, code: ErrorCode): Promise<RefreshOutcome> {
  const now = deps.clock.now()
  const failure = nextFailure(flight.account.failure, { class: 'transient', code }, now)
  const until = soon(deps, flight, failure, now)
  await deps.hook('release.before-write', flight.account.id)
  return writeVerdict(deps, flight, release(flight, now, until, failure, code), { kind: 'ambiguous', code, until })
}

/** Surely not spent. `at` is the provider's hint when to come back. */
export async function concludeFailed(
  deps: EngineDeps,
  flight: Flight,
  cause: { readonly class: Failure['class']; readonly code: ErrorCode },
  at?: number,
): Promise<RefreshOutcome> {
  const now = deps.clock.now()
  const failure = nextFailure(flight.account.failure, cause, now)
  const until = retryAt(deps, flight, failure, now, at)
  return writeVerdict(deps, flight, fail(flight, now, until, failure, cause.code), {
    kind: 'failed',
    code: cause.code,
    until,
  })
}

/** Where an earlier outcome of this generation is unknown, neither hint nor back-off delays beyond the deadline. */
function retryAt(deps: EngineDeps, flight: Flight, failure: Failure, now: number, hint: number | undefined): number {
  const at = hint === undefined ? undefined : soonAfter(deps, hint)
  if (flight.attempt.unknownSince === null) return at ?? now + backOffMs(failure.count, deps.random)
  const deadline = recoveryDeadline(flight.provider, flight.attempt, deps.times)
  if (at === undefined) return soon(deps, flight, failure, now)
  return deadline === null || now >= deadline ? at : Math.max(soon(deps, flight, failure, now), Math.min(at, deadline))
}

/** Seconds to minutes while an answer can still be had again; after that there is no hurry. */
function soon(deps: EngineDeps, flight: Flight, failure: Failure, now: number): number {
  const wait =
    now < flight.attempt.firstSentAt + GRACE_MS
      ? releaseBackOffMs(failure.count, now, recoveryDeadline(flight.provider, flight.attempt, deps.times), deps.random)
      : backOffMs(failure.count, deps.random)
  return now + wait
}

/**
 * Writes a verdict once and relays what it tells. A verdict that does not match is over: somebody else's write stands.
 * One whose fate is unknown is not repeated: the attempt ages and is recovered.
 */
export async function writeVerdict(
  deps: EngineDeps,
  flight: Flight,
  write: AccountWrite,
  outcome: RefreshOutcome,
): Promise<RefreshOutcome> {
  const { id } = flight.account
  try {
    return (await writeAndRelay(deps, write)) ? outcome : { kind: 'fenced' }
  } catch (error) {
    deps.logger.warn({ accountId: id, err: error }, 'verdict could not be written; the attempt ages')
    return { kind: 'ambiguous', code: 'STORE_UNAVAILABLE', until: flight.attempt.leaseUntil }
  }
}
