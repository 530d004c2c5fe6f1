import type { ErrorCode } from '@tokenkeeper/core'

/** How one call of fetchPages ended. Holds counts, times (ms since the epoch) and codes only: safe to store anywhere. */
export type PagesOutcome =
  /** What was listed is stored. Not complete: the listing did not come to its end, and is done again. */
  | { readonly kind: 'fetched'; readonly complete: boolean; readonly counts: PageCounts }
  | { readonly kind: 'not_due' }
  /** Nothing was asked: a halt, a limit or pacing says later. Comes back at `until`. */
  | { readonly kind: 'put_off'; readonly code: ErrorCode; readonly until: number }
  /** Nothing was listed, or it could not be stored; comes back at `until`. */
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly until: number }
  /** There is no such account, it cannot be used now, or its platform has no Pages or is not configured. */
  | { readonly kind: 'off' }

export interface PageCounts {
  /** Listed with a token, which is stored. */
  readonly refreshed: number
  /** Listed without one. */
  readonly needsPermission: number
  /** Not listed; a later listing decides. */
  readonly missed: number
  /** Not listed, and found to be missing or lost now. */
  readonly missing: number
  readonly lost: number
}
