import type { Account, AccountStatus, Attempt } from '@tokenkeeper/core'
import { comeBackAt, isOfProofs, isProbeDue } from '../halts.ts'
import { takeOver } from '../take-over.ts'
import type { ExplainFacts, Finding, WhyCode } from './explanation.ts'
import { meaning, moment } from './words.ts'

export interface Why {
  readonly why: Finding<WhyCode>
  readonly isDue: boolean
  readonly nextAt: number | null
}

/** As `prepare` decides when a worker comes to the account: its status, what stands, its time, and then the halt. */
export function whyOf(facts: ExplainFacts): Why {
  const own = ownReason(facts)
  const { halt, now } = facts
  const wouldBeSent = own.why.code === 'DUE' || own.why.code === 'RECOVERY_DUE'
  if (!wouldBeSent || halt?.state !== 'halted' || isOfProofs(halt) || isProbeDue(halt, now)) return own
  const nextAt = comeBackAt(halt, now)
  return waits(
    'HALTED',
    nextAt,
    `It is due, but the platform is halted (${meaning(halt.code)}) Nothing is sent; it looks again at ${moment(nextAt)}.`,
  )
}

function ownReason({ account, now }: ExplainFacts): Why {
  const { attempt, status, nextRefreshAt } = account
  if (status === 'removing')
    return due('REMOVING', now, 'It is being removed: logged out at the provider, then forgotten.')
  if (status === 'quarantined') return quarantined(account, now)
  if (attempt !== null) {
    const at = takenOverAt(account, attempt, now)
    return at <= now ? recoveryDue(attempt, at) : standing(attempt, account, at)
  }
  if (status === 'paused') return stopped('PAUSED', 'An operator paused it. Nothing is done until it is resumed.')
  if (status === 'needs_reconnect') {
    return stopped('NEEDS_RECONNECT', `It is dead (${meaningOf(account)}) Only a new login of the user helps.`)
  }
  if (nextRefreshAt > now) return waiting(account)
  return due(
    'DUE',
    nextRefreshAt,
    `It has been due since ${moment(nextRefreshAt)}: the sweep enqueues it within a minute.`,
  )
}

/** Statuses whose due times the sweep looks at; attempts are found in the others too, but for quarantined ones. */
const SWEPT: readonly AccountStatus[] = ['active', 'needs_action', 'quarantined']

/** When whoever looks first may take the attempt over (ms); in the past if that is so now. */
function takenOverAt({ status, nextRefreshAt }: Account, attempt: Attempt, now: number): number {
  const lapses = attempt.state === 'live' ? attempt.leaseUntil : attempt.notBefore
  const byScan = status === 'quarantined' ? Number.POSITIVE_INFINITY : lapses
  if (!SWEPT.includes(status)) return byScan
  // A lease that a wrong clock wrote may be taken over before it ends; the scan does not see that, but the sweep does.
  const sweptAt = Math.max(nextRefreshAt, now)
  const bySweep = takeOver(attempt, sweptAt).may ? Math.max(nextRefreshAt, Math.min(lapses, now)) : lapses
  return Math.min(byScan, bySweep)
}

function recoveryDue({ state, workerId }: Attempt, since: number): Why {
  const text =
    state === 'live'
      ? `The worker ${workerId} has not renewed its lease and is taken for dead: the next one to look, within seconds, begins again.`
      : 'It is not known how its last attempt ended: the next worker to look, within seconds, presents the token again.'
  return due('RECOVERY_DUE', since, text)
}

/** An attempt that nobody takes over yet. */
function standing({ state, workerId, beganAt }: Attempt, { status }: Account, at: number): Why {
  const though = status === 'active' ? '' : ` That is done although it is ${status}.`
  switch (state) {
    case 'live':
      return waits(
        'AT_WORK',
        at,
        `The worker ${workerId} has been at work on it since ${moment(beganAt)}. If it does not renew its lease, another one begins again at ${moment(at)}.${though}`,
      )
    case 'released':
      return waits(
        'OUTCOME_UNKNOWN',
        at,
        `It is not known how its last attempt ended: the token is presented again at ${moment(at)}.${though}`,
      )
    case 'held':
      return waits(
        'DEATH_HELD',
        at,
        `The provider said that the token is dead. That is not believed yet, since another machine may hold its successor; the token is presented once more at ${moment(at)}.${though}`,
      )
  }
}

/** Swept like the others; what stands there waits too. */
function quarantined(account: Account, now: number): Why {
  const { attempt, nextRefreshAt } = account
  const at = attempt === null ? nextRefreshAt : takenOverAt(account, attempt, now)
  const cause = `Its credential cannot be opened (${meaningOf(account)})`
  if (at <= now) return due('QUARANTINED', at, `${cause} It is tried again within a minute, in case the key is back.`)
  return waits('QUARANTINED', at, `${cause} It is tried again at ${moment(at)}, in case the key is back.`)
}

/** Active or in need of the user, nothing stands, and its time has not come. */
function waiting(account: Account): Why {
  const { status, failure, snoozedAt, nextRefreshAt: at } = account
  if (status === 'needs_action') {
    const text = `The user has to see to it at the provider (${meaningOf(account)}) It is tried once a day, next at ${moment(at)}.`
    return waits('NEEDS_ACTION', at, text)
  }
  if (snoozedAt !== null && snoozedAt > lastTouched(account)) {
    const text = `It was put off at ${moment(snoozedAt)}: a host, a budget or a halt asked for that. It looks again at ${moment(at)}.`
    return waits('PUT_OFF', at, text)
  }
  if (failure?.class === 'dead_suspected') {
    const text = `The provider said once that it is dead (${meaning(failure.code)}) That is not believed before a second time, at ${moment(at)}.`
    return waits('DEATH_SUSPECTED', at, text)
  }
  if (failure !== null) {
    const text = `The last attempt failed (${meaning(failure.code)}) It is tried again at ${moment(at)}.`
    return waits('BACKING_OFF', at, text)
  }
  return waits('NOT_DUE', at, `It is in order, and falls due at ${moment(at)}.`)
}

/** When an attempt or a connect last set the time at which it falls due. */
function lastTouched({ lastAttempt, connectedAt }: Account): number {
  return Math.max(lastAttempt?.at ?? 0, connectedAt)
}

function meaningOf({ statusReason, failure }: Account): string {
  return meaning(statusReason ?? failure?.code ?? 'no reason is known')
}

function due(code: WhyCode, since: number, text: string): Why {
  return { why: { code, text, at: since }, isDue: true, nextAt: since }
}

function waits(code: WhyCode, until: number, text: string): Why {
  return { why: { code, text, at: until }, isDue: false, nextAt: until }
}

function stopped(code: WhyCode, text: string): Why {
  return { why: { code, text, at: null }, isDue: false, nextAt: null }
}
