import type { ErrorCode } from './errors.ts'

/**
 * What a failed call means. Providers return these, never bare exceptions.
 *
 * - `retry`: try again later. `spent` says whether the token may have been used: `no` (refused, check before sending
 *   failed) or `unknown` (time-out, reset, 5xx, an answer that cannot be read).
 * - `snooze`: the provider asks us to wait; the token is intact.
 * - `needs_action`: the user can heal it at the provider.
 * - `dead`: an explicit code that the token is over. One such answer is not yet believed.
 * - `bug`: our request was wrong.
 */
export type Verdict = RetryVerdict | SnoozeVerdict | NeedsActionVerdict | DeadVerdict | BugVerdict

interface VerdictBase {
  readonly code: ErrorCode
  /** The provider's own words, for the redacted log alone. */
  readonly internal?: string
}

export interface RetryVerdict extends VerdictBase {
  readonly kind: 'retry'
  readonly spent: 'no' | 'unknown'
  /** The provider's hint when to come back (ms since the epoch). */
  readonly at?: number
}

export interface SnoozeVerdict extends VerdictBase {
  readonly kind: 'snooze'
  /** ms since the epoch. */
  readonly until: number
  /** What is to be left alone. */
  readonly scope: 'app' | 'host' | 'user'
}

export interface NeedsActionVerdict extends VerdictBase {
  readonly kind: 'needs_action'
}

export interface DeadVerdict extends VerdictBase {
  readonly kind: 'dead'
  /** A public addition to the reason (the new host of an account that moved). */
  readonly detail?: string
}

export interface BugVerdict extends VerdictBase {
  readonly kind: 'bug'
}

export type IndefiniteVerdict = Exclude<Verdict, DeadVerdict>
