import type { ErrorCode } from '@tokenkeeper/core'

/** How one call of refreshAccount ended. Holds ids, times (ms since the epoch) and codes only: safe to store anywhere. */
export type RefreshOutcome =
  /** The successor is in the store. */
  | { readonly kind: 'refreshed'; readonly generation: number }
  /** A newer generation stood there already: somebody else refreshed it. Not a failure. */
  | { readonly kind: 'fenced' }
  /** The successor is in the local spool, because the store is away; it will be replayed. */
  | { readonly kind: 'spooled' }
  /** A live attempt of another worker stands. */
  | { readonly kind: 'busy'; readonly until: number }
  | { readonly kind: 'skipped'; readonly reason: 'not_found' | 'not_active' | 'not_due' }
  /** Pacing said later; nothing began. */
  | { readonly kind: 'snoozed'; readonly until: number }
  /** Nothing began, because the store or the spool cannot be written; nextRefreshAt is untouched. */
  | { readonly kind: 'not_begun'; readonly code: ErrorCode }
  /** Surely nothing was spent; comes back at `until`. */
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly until: number }
  /** The outcome is unknown; the same token is presented again at `until`. */
  | { readonly kind: 'ambiguous'; readonly code: ErrorCode; readonly until: number }
  | { readonly kind: 'held'; readonly code: ErrorCode; readonly until: number }
  | { readonly kind: 'dead'; readonly code: ErrorCode }
  | { readonly kind: 'needs_action'; readonly code: ErrorCode }
  | { readonly kind: 'quarantined'; readonly code: ErrorCode }

export interface RefreshOptions {
  readonly type: 'scheduled' | 'manual' | 'on_demand' | 'test'
  /** Refresh even if it is not due (a run, a person, the token API). Does not override a pause or a death. */
  readonly force?: boolean
  /** With force: the `attemptKey` of the account when it was asked for. What was attempted since is not once more. */
  readonly seen?: string
  /**
   * Resolves once the successor is in and Pages, where there are any, were fetched; what the commit tells is copied
   * afterwards, and settle() waits for that.
   */
  readonly relayLater?: boolean
  /** The BullMQ job that asks, and which run of that job this is (attemptsStarted). */
  readonly job?: { readonly id: string; readonly run: number }
}
