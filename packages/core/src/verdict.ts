import type { ErrorCode } from './errors.ts'

/**
 * What a failed call means. Providers return these, never bare exceptions.
 *
 * - `retry`: try again later. `spent` says whether the token may have been used: `no` (refused, check before sending
 *   failed) or `unknown` (time-out, reset, 5xx, an answer that cannot be read).
 * - `snooze`: the provider asks us to wait; the token is intact.
 * - `needs_action`: the user can heal it at the provider.
 * - `dead`: an explicit code that the token is over. One such answer is not yet believed.
 * - `halt`: our app is at fault, its secret or its standing: the platform stops, and no account is touched.
 * - `bug`: our request was wrong.
 */
export type Verdict = RetryVerdict | SnoozeVerdict | NeedsActionVerdict | DeadVerdict | HaltVerdict | BugVerdict

/** What a failed call with a Page's token means. `page_lost`: this Page alone; the user's own token is unharmed. */
export type PageVerdict = Verdict | PageLostVerdict

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
  /** The answer is one that we do not know: after this many in a row a person should look at it. */
  readonly parkAfter?: number
}

export interface SnoozeVerdict extends VerdictBase {
  readonly kind: 'snooze'
  /** ms since the epoch. */
  readonly until: number
  /** What is to be left alone. */
  readonly scope: 'app' | 'host' | 'user' | 'asset'
}

export interface NeedsActionVerdict extends VerdictBase {
  readonly kind: 'needs_action'
}

export interface DeadVerdict extends VerdictBase {
  readonly kind: 'dead'
  /** A public addition to the reason (the new host of an account that moved). */
  readonly detail?: string
}

export interface HaltVerdict extends VerdictBase {
  readonly kind: 'halt'
  /** `token`: one such answer may be the fault of this token alone; several accounts at once mean the app. */
  readonly suspect: 'app' | 'token'
}

export interface PageLostVerdict extends VerdictBase {
  readonly kind: 'page_lost'
}

export interface BugVerdict extends VerdictBase {
  readonly kind: 'bug'
}

export type IndefiniteVerdict = Exclude<Verdict, DeadVerdict>
