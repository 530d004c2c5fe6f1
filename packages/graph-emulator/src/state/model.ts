/** The host families. An app, its users and its tokens belong to one of them, as Meta gives each its own app id. */
export const FAMILIES = ['facebook', 'instagram', 'threads'] as const
export type Family = (typeof FAMILIES)[number]

/** `disabled`: Meta switched the app off. `restricted`: "API access blocked.", of the app or of its developer. */
export type Standing = 'live' | 'disabled' | 'restricted'

/** Calls in a rolling hour; absent = without limit, but for `app` at facebook: 200 for each user, as Meta has it. */
export interface Budget {
  /** All calls of the app: code 4 when spent. */
  app?: number | undefined
  /** Calls with the tokens of one user: code 17. */
  user?: number | undefined
  /** Calls with the tokens of one Page: code 32. */
  page?: number | undefined
  /** All calls of the app as well, but refused with code 613. */
  custom?: number | undefined
}

export interface App {
  readonly id: string
  readonly family: Family
  readonly name: string
  secret: string
  readonly redirectUris: readonly string[]
  standing: Standing
  requireProof: boolean
  /** Users with a role on the app: they may debug its tokens. */
  readonly developers: ReadonlySet<string>
  readonly deauthorizeUrl: string | undefined
  readonly dataDeletionUrl: string | undefined
  budget: Budget
}

export interface User {
  readonly id: string
  readonly family: Family
  readonly name: string
  readonly email: string
  password: string
  /** + 1 with each change of password: tokens of an earlier one are dead (460). */
  passwordGeneration: number
  checkpointed: boolean
  confirmed: boolean
  /** A Business's system user: its tokens may never expire, and it never lapses. */
  readonly systemUser: boolean
  /** Page id → tasks, in the order of the appointments. */
  readonly roles: Map<string, readonly string[]>
}

export interface Page {
  readonly id: string
  readonly name: string
  readonly category: string
  readonly username: string | undefined
  /** Owned by a Business: listed only with business_management. */
  readonly businessId: string | undefined
  readonly instagram: { readonly id: string; readonly username: string } | undefined
}

export type PermissionStatus = 'granted' | 'declined' | 'expired'

/** What one user let one app do. A new consent after a removal is a new grant. */
export interface Grant {
  readonly id: number
  readonly permissions: Map<string, PermissionStatus>
  /** Permission → the Pages that it covers; absent = all. */
  readonly targets: Map<string, ReadonlySet<string>>
  /** ms. The user last used the app: the 90 days of data access count from here. */
  engagedAt: number
}

export type TokenKind = 'user' | 'page' | 'app'

export interface Token {
  readonly value: string
  readonly kind: TokenKind
  readonly appId: string
  /** Absent for app tokens. */
  readonly userId: string | undefined
  readonly pageId: string | undefined
  /** ms */
  readonly issuedAt: number
  /** ms; undefined = never. */
  expiresAt: number | undefined
  readonly longLived: boolean
  readonly grantId: number | undefined
  readonly passwordGeneration: number | undefined
  revoked: boolean
  /** Instagram and Threads: when it was last issued or refreshed, ms; the 24 hours count from here. */
  refreshedAt: number
}

export interface Code {
  readonly appId: string
  readonly userId: string
  readonly grantId: number
  readonly redirectUri: string
  /** ms */
  readonly expiresAt: number
  used: boolean
}

/**
 * `fb_exchange_token` of a token that is long-lived already. `extends`: 60 days from now; `same_expiry`: a new token
 * with the old end; `omit_expires_in`: extends and does not say so. Meta documents none of them; all were reported.
 */
export const REFRESH_MODES = ['extends', 'same_expiry', 'omit_expires_in'] as const
export type RefreshMode = (typeof REFRESH_MODES)[number]

export interface Settings {
  refreshMode: RefreshMode
  /** The answer to an Instagram code: in a `data` list, as documented, or flat, as clients see it. */
  instagramCodeAnswer: 'data' | 'flat'
  /** Whether an Instagram or Threads refresh gives a new string, or the old one with a new end; both were seen. */
  refreshedToken: 'new' | 'same'
  /** Whether tokens die (493) 90 days after the user last used the app. */
  dataAccessLapses: boolean
}
