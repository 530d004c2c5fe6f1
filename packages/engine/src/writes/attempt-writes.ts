import type {
  Account,
  AccountEventType,
  Attempt,
  AttemptOutcome,
  ErrorCode,
  Failure,
  OutboxItem,
} from '@tokenkeeper/core'
import { idFrom } from '@tokenkeeper/core'
import type { AccountWrite } from '@tokenkeeper/store'
import type { Flight } from '../flight.ts'
import { tellAttempt, tellEvent } from './tell.ts'

/**
 * The protocol's writes of an attempt, each one compare-and-set on one document: the table of docs/protocol.md as code.
 * They are pure; what each needs to know was read before.
 */

/** Writes the attempt, unless anything but what was read stands there. Displacing a live one tells its interruption. */
export function begin(account: Account, attempt: Attempt): AccountWrite {
  const standing = account.attempt
  return {
    name: 'begin',
    accountId: account.id,
    when: {
      generation: account.generation,
      attemptId: standing?.id ?? null,
      ...(standing ? { attemptState: standing.state } : {}),
      ...(standing?.state === 'live' ? { attemptLeaseUntil: standing.leaseUntil } : {}),
      ...(standing ? { statusNot: 'removing' } : { statusIn: ['active', 'needs_action'] }),
    },
    change: { set: { attempt }, tell: tellDisplaced(account, attempt.id, attempt.beganAt) },
  }
}

export function renew(accountId: string, attemptId: string, leaseUntil: number): AccountWrite {
  return { name: 'renew', accountId, when: { attemptId, attemptState: 'live' }, change: { leaseUntil } }
}

/**
 * The provider said dead twice. Credentials are kept, so that a replay can still revive the account. One that somebody
 * paused falls due as soon as it is resumed: else it would pass for healthy until its next refresh.
 */
export function dead(flight: Flight, at: number, death: Death): AccountWrite {
  const reason = reasonOf(death)
  const deadFailure = { ...death.failure, class: 'dead' as const }
  return ended(flight, 'dead', at, {
    set: { attempt: null, nextRefreshAt: at, statusReason: reason, failure: deadFailure },
    status: { active: 'needs_reconnect', needs_action: 'needs_reconnect' },
    tell: [
      tellEnd(flight, 'dead', at, { class: 'dead', code: death.code }),
      tellNews(flight, 'account.needs_reconnect', reason, at),
    ],
  })
}

export interface Death {
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly failure: Failure
}

export function reasonOf(verdict: { readonly code: ErrorCode; readonly detail?: string | undefined }): string {
  return verdict.detail === undefined ? verdict.code : `${verdict.code} ${verdict.detail}`
}

/** An earlier attempt ended unknown: its successor may yet turn up in a spool, so the dead code is not believed yet. */
export function hold(flight: Flight, at: number, notBefore: number, code: ErrorCode): AccountWrite {
  return ended(flight, 'held', at, {
    set: { attempt: { ...flight.attempt, state: 'held', notBefore }, nextRefreshAt: notBefore },
    tell: [tellEnd(flight, 'held', at, { class: 'dead_suspected', code })],
  })
}

/** The outcome is unknown: whoever comes after `notBefore` presents the same token again. */
export function release(
  flight: Flight,
  at: number,
  notBefore: number,
  failure: Failure,
  code: ErrorCode,
): AccountWrite {
  return ended(flight, 'ambiguous', at, {
    set: {
      attempt: { ...flight.attempt, state: 'released', unknownSince: at, notBefore },
      nextRefreshAt: notBefore,
      failure,
    },
    tell: [tellEnd(flight, 'ambiguous', at, { class: failure.class, code })],
  })
}

/** This attempt surely spent nothing. What an earlier one may have spent stays unknown. */
export function fail(flight: Flight, at: number, retryAt: number, failure: Failure, code: ErrorCode): AccountWrite {
  return ended(flight, 'failed', at, {
    set: { attempt: stillUnknown(flight, retryAt), nextRefreshAt: retryAt, failure },
    tell: [tellEnd(flight, 'failed', at, { class: failure.class, code })],
  })
}

/**
 * The user can heal it at the provider; it falls due again as a slow probe. What an earlier attempt may have spent stays
 * unknown, and is recovered from `retryAt` on: the grace does not wait for the user.
 */
export function park(
  flight: Flight,
  at: number,
  { probeAt, retryAt }: { readonly probeAt: number; readonly retryAt: number },
  failure: Failure,
  code: ErrorCode,
): AccountWrite {
  const news = flight.account.status === 'active' ? [tellNews(flight, 'account.needs_action', code, at)] : []
  return ended(flight, 'needs_action', at, {
    set: { attempt: stillUnknown(flight, retryAt), nextRefreshAt: probeAt, failure, statusReason: code },
    status: { active: 'needs_action' },
    tell: [tellEnd(flight, 'needs_action', at, { class: failure.class, code }), ...news],
  })
}

/** What stands after an attempt that spent nothing itself: none, or an earlier outcome that is unknown. */
function stillUnknown({ attempt }: Flight, notBefore: number): Attempt | null {
  return attempt.unknownSince === null ? null : { ...attempt, state: 'released', notBefore }
}

/** A live attempt that is displaced is told as interrupted; released and held ones have told their end already. */
export function tellDisplaced(
  account: Account,
  byAttemptId: string | null,
  at: number,
  outcome: 'interrupted' | 'superseded' | 'removed' = 'interrupted',
): OutboxItem[] {
  const standing = account.attempt
  if (standing === null || standing.state !== 'live' || standing.id === byAttemptId) return []
  return [
    tellAttempt({
      accountId: account.id,
      attempt: standing,
      outcome,
      generation: account.generation,
      at,
      oldExpiresAt: account.accessExpiresAt,
    }),
  ]
}

/** An own verdict: only while the generation and the attempt are still those that began. */
function ended(
  flight: Flight,
  outcome: AttemptOutcome,
  at: number,
  change: AccountWrite['change'] & { set: object },
): AccountWrite {
  const { account, attempt } = flight
  return {
    name: outcome === 'ambiguous' ? 'release' : outcome === 'held' ? 'hold' : outcome,
    accountId: account.id,
    when: { generation: account.generation, attemptId: attempt.id },
    change: {
      ...change,
      set: { ...change.set, lastAttempt: { id: attempt.id, outcome, generation: account.generation, at } },
    },
  }
}

function tellEnd(
  { account, attempt }: Flight,
  outcome: AttemptOutcome,
  at: number,
  error: { readonly class: string; readonly code: ErrorCode },
): OutboxItem {
  const { id: accountId, generation, accessExpiresAt: oldExpiresAt } = account
  return tellAttempt({ accountId, attempt, outcome, generation, at, oldExpiresAt, error })
}

function tellNews({ account, attempt }: Flight, type: AccountEventType, reason: string, at: number): OutboxItem {
  return tellEvent({ id: idFrom(attempt.id, type), accountId: account.id, type, reason, at })
}
