import type { Attempt, Extension } from '@tokenkeeper/core'

/** A successor that must get into the store, sealed: what Commit writes, and what a spool keeps. Times in ms. */
export interface RefreshResult {
  readonly version: 1
  readonly accountId: string
  /** The generation that the attempt began on: the fence. */
  readonly generation: number
  readonly connectId: string
  readonly attempt: Pick<Attempt, 'id' | 'refreshType' | 'beganAt' | 'presentedDigest' | 'workerId'>
  readonly sealed: string
  readonly keyId: string
  readonly accessExpiresAt: number | null
  readonly diesAt: number | null
  readonly oldExpiresAt: number | null
  readonly nextRefreshAt: number
  readonly answeredAt: number
  /** Becomes the account's statusReason; a warning is told too. */
  readonly note: string | null
  /** Absent in what was spooled before these were known, as where they do not apply. */
  readonly extension?: Extension
  /** Absent: what is stored stands. */
  readonly dataAccessExpiresAt?: number | null
  /** When its Pages are to be fetched, where it may have any. */
  readonly pagesDueAt?: number
}
