import type { Platform } from '@tokenkeeper/core'

export interface PacingRequest {
  readonly platform: Platform
  readonly host: string
  readonly accountId: string
  /** A standing attempt is to be recovered: comes before everything else. */
  readonly recovery: boolean
}

/** Says whether a request may be made now. */
export interface Pacing {
  ask(request: PacingRequest): Promise<{ readonly ok: true } | { readonly ok: false; readonly until: number }>
  /** The provider asked us to wait (ms since the epoch). */
  pause(request: Pick<PacingRequest, 'platform' | 'host'>, until: number): Promise<void>
}
