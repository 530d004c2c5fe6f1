import type { Platform } from './account.ts'
import type { ErrorCode } from './errors.ts'
import { idFrom } from './ids.ts'

/** Our app at one platform is refused, its credentials or its standing: nothing is sent there, and no account is blamed. */
export interface Halt {
  /** {@link haltIdOf} platform and app. */
  readonly id: string
  readonly platform: Platform
  readonly providerAppId: string
  /** `suspected`: the refusal may yet be one account's own fault; several accounts at once mean the app. */
  readonly state: 'suspected' | 'halted'
  readonly code: ErrorCode
  /** Ids of the accounts that were refused, a few at most. */
  readonly suspects: readonly string[]
  /** ms since the epoch, as is… */
  readonly since: number
  /** … when one request may find out whether it is over. */
  readonly probeAt: number
}

/** There is one halt for each app. */
export function haltIdOf(platform: Platform, providerAppId: string): string {
  return idFrom('halt', platform, providerAppId)
}
