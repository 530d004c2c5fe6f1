/** What the PDS process is told over IPC, and what it tells. */

export interface PdsSettings {
  readonly port: number
  readonly plcPort: number
  readonly dataDir: string
  /** Remove dataDir if the parent dies. */
  readonly temporary: boolean
  readonly clockFile?: string
  readonly rateLimits: boolean
  readonly didDoc: boolean
}

export type ToPds =
  | { readonly kind: 'start'; readonly settings: PdsSettings }
  | { readonly kind: 'move'; readonly id: number; readonly did: string; readonly endpoint: string }

export type FromPds =
  | { readonly kind: 'ready'; readonly adminPassword: string }
  | { readonly kind: 'failed'; readonly portTaken: boolean; readonly message: string }
  | { readonly kind: 'moved'; readonly id: number; readonly error?: string }

/** Sent as x-ratelimit-bypass by what sets the stage, so that only the calls under test are limited. */
export const RATE_LIMIT_BYPASS = 'bypass'
