import type { Account, Attempt, Credential, Halt } from '@tokenkeeper/core'
import { attemptKey, GRACE_MS, HOUR, MINUTE, toCodedError } from '@tokenkeeper/core'
import type { Provider } from '@tokenkeeper/providers'
import { openCredential } from './credentials.ts'
import type { EngineDeps } from './deps.ts'
import { earliestAt } from './due.ts'
import { recoveryDeadline } from './flight.ts'
import { passHalt } from './halt-probes.ts'
import { comeBackAt, isProbeDue, standingHalt } from './halts.ts'
import type { RefreshOptions, RefreshOutcome } from './outcome.ts'
import { writeAndRelay } from './relay.ts'
import { soonAfter } from './spread.ts'
import { takeOver } from './take-over.ts'
import { postpone, quarantine, snooze, unquarantine } from './writes/account-writes.ts'

/** How long an attempt waits whose platform is off (ms). */
const OFF_MS = HOUR
/** A token that ends this soon after the provider would take it is not kept waiting (ms). */
const TIGHT_MS = HOUR

/** An account that may be refreshed now, as read. */
export interface Prepared {
  readonly ready: true
  readonly account: Account
  readonly provider: Provider
  readonly credential: Credential
  readonly tookOverEarly: boolean
  /** The halt that this refresh passes, to find out whether it is over. */
  readonly probing: Halt | null
}

export interface NotReady {
  readonly ready: false
  readonly outcome: RefreshOutcome
}

/** Steps 1 and 2: is it due or to be recovered, does it open, do halt and pacing allow it, could an answer be spooled? */
export async function prepare(
  deps: EngineDeps,
  accountId: string,
  options: RefreshOptions,
): Promise<Prepared | NotReady> {
  try {
    const account = await deps.store.accounts.get(accountId)
    if (account === null || account.status === 'removing') return not({ kind: 'skipped', reason: 'not_found' })
    const provider = deps.providers.get(account.platform)
    const now = deps.clock.now()
    if (provider === undefined) return not(await whileOff(deps, account, now))

    let tookOverEarly = false
    if (account.attempt !== null) {
      const permission = takeOver(account.attempt, now, options.job)
      if (!permission.may) return not(waitFor(account.attempt))
      tookOverEarly = permission.early
    } else {
      const outcome = idleReason(account, options, now)
      if (outcome) return not(outcome)
    }
    const early = await tooEarly(deps, account, provider, now)
    if (early) return not(early)

    const opened = await open(deps, account, now)
    if (!opened.ready) return opened
    const halt = await standingHalt(deps, account)
    if (halt !== null && !isProbeDue(halt, now)) return not(await putOff(deps, account, now, comeBackAt(halt, now)))
    const outcome = (await paced(deps, account, provider, now)) ?? (await spoolable(deps, account, now))
    if (outcome) return not(outcome)
    // Last, so that whoever may find out whether the halt is over goes ahead and does.
    const passage = await passHalt(deps, provider, halt)
    if (!passage.pass) return not(await putOff(deps, account, now, passage.until))
    const { credential } = opened
    return { ready: true, account: opened.account, provider, credential, tookOverEarly, probing: passage.probing }
  } catch (error) {
    return not({ kind: 'not_begun', code: toCodedError(error).code })
  }
}

/** An outcome that is unknown must not be found stale again and again by workers that cannot find out. */
async function whileOff(deps: EngineDeps, account: Account, now: number): Promise<RefreshOutcome> {
  const { attempt } = account
  // One that lives may be at work where the platform is on.
  const isStale = attempt !== null && takeOver(attempt, now).may
  if (isStale) await deps.store.accounts.write(postpone(account, attempt, now, now + OFF_MS))
  return { kind: 'not_begun', code: 'PROVIDER_OFF' }
}

/** A live attempt ends soon; a released or held one comes back by itself. */
export function waitFor({ state, leaseUntil, notBefore }: Attempt): RefreshOutcome {
  return state === 'live' ? { kind: 'busy', until: leaseUntil } : { kind: 'snoozed', until: notBefore }
}

function idleReason(account: Account, options: RefreshOptions, now: number): RefreshOutcome | null {
  const refreshable =
    account.status === 'active' || account.status === 'needs_action' || account.status === 'quarantined'
  if (!refreshable) return { kind: 'skipped', reason: 'not_active' }
  if (!isAskedFor(account, options) && account.nextRefreshAt > now) return { kind: 'skipped', reason: 'not_due' }
  return null
}

/**
 * Some providers refuse a token that they have just given. Where an outcome is unknown, they may have given one: the old
 * one goes on working, so that waits too, as long as it lives.
 */
async function tooEarly(
  deps: EngineDeps,
  account: Account,
  provider: Provider,
  now: number,
): Promise<RefreshOutcome | null> {
  const { attempt, connectedAt, diesAt } = account
  const lastRefreshedAt = attempt?.beganAt ?? account.lastRefreshedAt
  const earliest = earliestAt(provider, { connectedAt, lastRefreshedAt })
  if (now >= earliest || (diesAt !== null && diesAt <= earliest + TIGHT_MS)) return null
  const until = Math.max(earliest, attempt === null ? account.nextRefreshAt : 0)
  await deps.store.accounts.write(
    attempt === null ? snooze(account, now, until) : postpone(account, attempt, now, until),
  )
  return { kind: 'snoozed', until }
}

/** Whoever asks may do so twice: a job that is delivered again, a run that looked just before. */
function isAskedFor({ lastAttempt }: Account, { force = false, seen }: RefreshOptions): boolean {
  return force && (seen === undefined || attemptKey(lastAttempt) === seen)
}

/** Opens the credential; quarantines an account whose does not open, and takes one out whose does again. */
async function open(
  deps: EngineDeps,
  account: Account,
  now: number,
): Promise<{ readonly ready: true; readonly account: Account; readonly credential: Credential } | NotReady> {
  let credential: Credential
  try {
    credential = openCredential(deps.sealer, account.id, account.sealedCredential)
  } catch (error) {
    const { code, internal } = toCodedError(error)
    deps.logger.error({ accountId: account.id, code, internal }, 'credential cannot be opened')
    // An outcome that is unknown cannot wait as long: another machine may have the key.
    const { quarantineProbeMs, recoveryProbeMs } = deps.times
    const probeAt = now + (account.attempt === null ? quarantineProbeMs : recoveryProbeMs)
    await writeAndRelay(deps, quarantine(account, now, probeAt, code))
    return not({ kind: 'quarantined', code })
  }
  if (account.status !== 'quarantined') return { ready: true, account, credential }
  await writeAndRelay(deps, unquarantine(account, now))
  const fresh = await deps.store.accounts.get(account.id)
  const changed = fresh?.generation !== account.generation || fresh.status !== 'active'
  if (changed) return not({ kind: 'skipped', reason: 'not_active' })
  if (fresh.attempt !== null && fresh.attempt.id !== account.attempt?.id) return not(waitFor(fresh.attempt))
  return { ready: true, account: fresh, credential }
}

async function paced(
  deps: EngineDeps,
  account: Account,
  provider: Provider,
  now: number,
): Promise<RefreshOutcome | null> {
  const { attempt } = account
  const host = provider.hostOf(account)
  const answer = await deps.pacing.ask({
    platform: account.platform,
    host,
    accountId: account.id,
    recovery: attempt !== null,
  })
  if (answer.ok) return null
  if (attempt === null) return putOff(deps, account, now, answer.until)
  // No budget delays a recovery beyond its deadline, as long as there is something to be saved.
  const deadline = recoveryDeadline(provider, attempt, deps.times)
  if (deadline === null || now < deadline) return putOff(deps, account, now, answer.until, deadline)
  return now < attempt.firstSentAt + GRACE_MS ? null : putOff(deps, account, now, answer.until)
}

/** It comes back soon after `until`, and no later than `latest`: not all in the same instant, when the wait is over. */
async function putOff(
  deps: EngineDeps,
  account: Account,
  now: number,
  until: number,
  latest: number | null = null,
): Promise<RefreshOutcome> {
  const { attempt } = account
  const at = Math.min(soonAfter(deps, until), latest ?? Number.POSITIVE_INFINITY)
  await deps.store.accounts.write(attempt === null ? snooze(account, now, at) : postpone(account, attempt, now, at))
  return { kind: 'snoozed', until: at }
}

/**
 * Without a spool an answer could be lost, so nothing new begins; what began is recovered all the same. An account that
 * would be dead by the next look begins too: an answer that this process alone holds is better than none.
 */
async function spoolable(deps: EngineDeps, account: Account, now: number): Promise<RefreshOutcome | null> {
  if (account.attempt !== null) return null
  try {
    deps.spool.check()
    return null
  } catch (error) {
    const nextLook = now + MINUTE
    if (account.diesAt !== null && account.diesAt > now && account.diesAt <= nextLook + MINUTE) return null
    deps.logger.error({ err: error }, 'spool cannot be written: refreshes wait')
    await deps.store.accounts.write(snooze(account, now, nextLook))
    return { kind: 'not_begun', code: 'SPOOL_UNAVAILABLE' }
  }
}

function not(outcome: RefreshOutcome): NotReady {
  return { ready: false, outcome }
}
