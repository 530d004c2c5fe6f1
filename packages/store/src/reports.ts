import type { AttemptOutcome, Platform, RefreshType } from '@tokenkeeper/core'

/** Ends in `from` ≤ end < `before` (ms since the epoch). */
interface ExpiringRange {
  readonly from: number
  readonly before: number
  readonly limit: number
}

export interface ExpiringQuery extends ExpiringRange {
  readonly platforms: readonly Platform[]
  /** `endsAt` as by `endOf`. */
  readonly after: { readonly endsAt: number; readonly id: string } | null
}

export interface ExpiringPagesQuery extends ExpiringRange {
  readonly after: { readonly tokenExpiresAt: number; readonly id: string } | null
}

export interface LogStatsQuery {
  /** From this time on (ms since the epoch). */
  readonly since: number
  /** How many causes of failures, at most. */
  readonly topFailures: number
}

/** What became of the attempts of a time. */
export interface LogStats {
  readonly counts: readonly RefreshCount[]
  /** The most frequent first. */
  readonly failures: readonly FailureCount[]
}

/** Of one refresh type; Pages apart, since one refresh of a user may list hundreds. */
export interface RefreshCount {
  readonly refreshType: RefreshType
  readonly ofPages: boolean
  readonly total: number
  readonly successful: number
}

export interface FailureCount {
  readonly outcome: AttemptOutcome
  /** Null where nobody heard an answer: the outcome tells why. */
  readonly errorCode: string | null
  readonly count: number
  readonly lastAt: number
}
