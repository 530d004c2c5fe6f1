import type { Account, AccountStatus, OutboxItem } from '@tokenkeeper/core'

/**
 * One compare-and-set on one account document: the small vocabulary in which the engine states every write of the
 * protocol, and which every adapter carries out as a single atomic operation.
 */
export interface AccountWrite {
  /** The protocol's name of the write (`begin`, `commit`, …): for kill points, metrics and error messages. */
  readonly name: string
  readonly accountId: string
  readonly when: Condition
  readonly change: Change
}

/** All that are present must hold. */
export interface Condition {
  readonly generation?: number
  /** Holds if the stored generation is lower than this. */
  readonly generationBelow?: number
  /** The standing attempt's id; null = no attempt stands. */
  readonly attemptId?: string | null
  /** The standing attempt's state and lease, as read. */
  readonly attemptState?: 'live' | 'released' | 'held'
  readonly attemptLeaseUntil?: number
  readonly statusIn?: readonly AccountStatus[]
  readonly statusNot?: AccountStatus
  readonly connectId?: string
  readonly connectIdNot?: string
  readonly sealedCredential?: string
  readonly previousCredential?: string | null
  readonly pagesDueAt?: number | null
}

export type Settable = Omit<
  Account,
  'id' | 'ownerId' | 'platform' | 'providerAppId' | 'externalId' | 'status' | 'outbox'
>

export interface Change {
  /** Fields set to values. */
  readonly set?: Partial<Settable>
  /** Renews the lease of the standing attempt, if there is one. Never together with `set.attempt`. */
  readonly leaseUntil?: number
  /** New status by the status that stands; a status not named stays. */
  readonly status?: Partial<Record<AccountStatus, AccountStatus>>
  /**
   * previousCredential and previousKeyId become what sealedCredential and keyId hold before this write. Never together
   * with `set` of these two.
   */
  readonly keepPrevious?: boolean
  /** Pushed onto the outbox. */
  readonly tell?: readonly OutboxItem[]
}
