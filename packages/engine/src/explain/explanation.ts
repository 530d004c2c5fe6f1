import type { Account, AttemptOutcome, CredentialKind, Halt, RefreshLogEntry, RefreshType } from '@tokenkeeper/core'

/** Why an account is, or is not, taken up now: exactly one holds. Stable. */
export const WHY_CODES = [
  'DUE',
  'RECOVERY_DUE',
  'AT_WORK',
  'OUTCOME_UNKNOWN',
  'DEATH_HELD',
  'DEATH_SUSPECTED',
  'HALTED',
  'PUT_OFF',
  'BACKING_OFF',
  'NOT_DUE',
  'NEEDS_ACTION',
  'QUARANTINED',
  'PAUSED',
  'NEEDS_RECONNECT',
  'REMOVING',
] as const
export type WhyCode = (typeof WHY_CODES)[number]

/** What else is to be known of it: any number holds. Stable. */
export const FINDING_CODES = [
  'PLATFORM_OFF',
  'PLATFORM_HALTED',
  'HALT_SUSPECTED',
  'PAGES_HALTED',
  'OVERDUE',
  'SPENT_PERHAPS',
  'GRACE_LASTS',
  'GRACE_OVER',
  'FAILING',
  'RECONNECT_SOON',
  'TOKEN_ENDS',
  'TOKEN_OVER',
  'DATA_ACCESS_ENDS',
  'DATA_ACCESS_OVER',
  'PAGES_DUE',
  'PAGES_LATER',
  'PAGES_WAIT',
  'REFRESHED',
  'NEVER_REFRESHED',
] as const
export type FindingCode = (typeof FINDING_CODES)[number]

/** One thing that is to be known, for programs and as sentences, without anything secret. */
export interface Finding<Code extends string = FindingCode> {
  readonly code: Code
  readonly text: string
  /** The time that it is about (ms since the epoch), where there is one. */
  readonly at: number | null
}

export interface Explanation {
  readonly account: ExplainedAccount
  /** It is taken up as soon as a worker, or the sweep, looks. */
  readonly isDue: boolean
  /** When that is (ms since the epoch; of what is due, since when); null = not before somebody does something. */
  readonly nextAt: number | null
  readonly why: Finding<WhyCode>
  readonly findings: readonly Finding[]
  /** Its credentials by their generations, the newest first, as far as the log tells. */
  readonly lineage: readonly LineageGeneration[]
}

/** Nothing of it is sealed, so that an explanation may be shown as it is. */
export type ExplainedAccount = Pick<
  Account,
  'id' | 'ownerId' | 'platform' | 'externalId' | 'displayName' | 'status' | 'statusReason' | 'generation' | 'attempt'
>

export interface LineageGeneration {
  readonly generation: number
  /** What was presented to have a successor, the latest first. */
  readonly attempts: readonly LineageAttempt[]
}

export interface LineageAttempt {
  readonly id: string
  /** Of the token that was presented. */
  readonly tokenDigest: string
  readonly refreshType: RefreshType
  /** `standing`: it has begun and is not told yet. */
  readonly outcome: AttemptOutcome | 'standing'
  readonly errorCode: string | null
  /** When it ended, or began if it stands (ms since the epoch). */
  readonly at: number
}

/** All that an explanation depends on. */
export interface ExplainFacts {
  readonly account: Account
  readonly kind: CredentialKind
  /** That of its app, if one stands. */
  readonly halt: Halt | null
  /** Its entries of the refresh log, the newest first. */
  readonly log: readonly RefreshLogEntry[]
  /** Is its platform configured here? */
  readonly isOn: boolean
  readonly now: number
}
