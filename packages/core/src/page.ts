import { idFrom } from './ids.ts'

/**
 * `needs_permission`: the provider lists it without a token, since the user did not grant what that takes.
 * `missing`: complete listings no longer hold it. `lost`: its token was refused, the user has lost access to it.
 */
export type PageStatus = 'active' | 'needs_permission' | 'missing' | 'lost'

/**
 * One Facebook Page that an account can act for, as the listings of the account's Pages tell it. Goes only with its
 * account. All times are ms since the epoch.
 */
export interface Page {
  /** {@link pageIdOf} account and external id. */
  readonly id: string
  readonly accountId: string
  /** The Page's id at the provider. */
  readonly externalId: string
  readonly name: string
  /** The Page's own token, bound to the Page's id; null = none was ever given. Never the user's. */
  readonly sealedToken: string | null
  readonly keyId: string | null
  /** null = does not expire. */
  readonly tokenExpiresAt: number | null
  /** What the user may do there (`CREATE_CONTENT`, …). */
  readonly tasks: readonly string[]
  readonly instagramBusinessAccountId: string | null
  readonly status: PageStatus
  /** Why it is in that status, as a stable code. */
  readonly statusReason: string | null
  /** In how many complete listings in a row it was not, and when last. */
  readonly missingCount: number
  readonly lastMissedAt: number | null
  /** The generation of the account whose token listed it last. */
  readonly parentGeneration: number
  /** When it was listed last; of two listings with one token the later one holds. */
  readonly refreshedAt: number | null
}

/** The same for the same Page of the same account, so that writing it twice makes one. */
export function pageIdOf(accountId: string, externalId: string): string {
  return idFrom('page', accountId, externalId)
}
