import type { Attempt } from '@tokenkeeper/core'

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
  readonly note: string | null
}
