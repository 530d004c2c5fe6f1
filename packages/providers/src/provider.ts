import type { Account, Credential, Extension, PageVerdict, Platform, Verdict } from '@tokenkeeper/core'

/** What a provider may know of an account. */
export type ProviderAccount = Pick<
  Account,
  'id' | 'platform' | 'providerAppId' | 'externalId' | 'serviceUrl' | 'issuer' | 'diesAt'
> &
  Partial<Pick<Account, 'dataAccessExpiresAt'>>

/** A successor. All times are ms since the epoch; null = the provider did not tell. */
export interface Refreshed {
  readonly kind: 'refreshed'
  readonly credential: Credential
  readonly accessExpiresAt: number | null
  readonly diesAt: number | null
  /** Something to show beside a healthy account, as a stable code (BLUESKY_DEACTIVATED). */
  readonly note: 'BLUESKY_DEACTIVATED' | null
  /** What became of the end of the token. Absent where refreshing does not extend (Bluesky). */
  readonly extension?: Extension
  /** When the user has to consent anew (ms); null = never; absent = not told, so what is stored stands. */
  readonly dataAccessExpiresAt?: number | null
}

export type RefreshAnswer = Refreshed | Verdict

/** Where the identity says that an account lives now. `unknown`: the look-up gave no definite answer. */
export type Location =
  | { readonly kind: 'here' }
  | { readonly kind: 'moved'; readonly host: string }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown'; readonly internal?: string }

interface ProviderBase {
  readonly platform: Platform
  /**
   * Presents the token once. Never rejects, never retries, never follows a redirect, takes no abort signal: once sent,
   * an answer is waited for up to 150 s. The engine has its own, shorter patience.
   */
  refresh(account: ProviderAccount, credential: Credential): Promise<RefreshAnswer>
  /** Logs out, best effort, newest credential last; never rejects. */
  logout(account: ProviderAccount, credentials: readonly Credential[]): Promise<void>
  /** The host that a refresh talks to, for pacing. */
  hostOf(account: ProviderAccount): string
}

/** The same token yields the same successor for a while after its first use (Bluesky sessions). */
export interface GraceProvider extends ProviderBase {
  readonly kind: 'grace'
  /** Tells two credentials apart by the refresh token's own id (`jti`), not by its bytes, which differ at each re-issue. */
  tokenId(credential: Credential): string
  /** Looks the identity up anew, past every cache. Never rejects. */
  locate(account: ProviderAccount): Promise<Location>
  /** Logs in with an app password at the host of the account. Never rejects. */
  loginAgain(account: ProviderAccount, appPassword: string): Promise<RefreshAnswer>
}

/** The old token goes on working (Meta, Instagram, Threads). */
export interface ExtendProvider extends ProviderBase {
  readonly kind: 'extend'
  /** Our app there: tokens that were given to another one are no use to it. */
  readonly appId: string
  /** Asks the provider by another way whether the token is really dead. Never rejects. */
  confirmDead(account: ProviderAccount, credential: Credential): Promise<'dead' | 'alive' | 'unknown'>
  /** Before this (ms) the provider refuses to refresh. Absent: it takes any token. */
  earliestRefreshAt?(account: Pick<Account, 'connectedAt' | 'lastRefreshedAt'>): number
  /** Whether our app is accepted again after a halt. Never rejects. Absent: the next refresh has to tell. */
  probeApp?(): Promise<'accepted' | Verdict>
  /** Absent where accounts have no Pages. */
  readonly pages?: PageProvider
}

/** The Pages of an account, whose tokens come from the account's own. */
export interface PageProvider {
  /** All Pages that the user manages, each with its token as of now. Never rejects. */
  list(account: ProviderAccount, credential: Credential): Promise<PageListing | Verdict>
  /** Whether a Page's own token works. Never rejects. */
  check(account: ProviderAccount, page: PageToken): Promise<'works' | PageVerdict>
}

export interface PageListing {
  readonly kind: 'pages'
  /** Whether the listing came to its end. If not, nothing follows from a Page that is missing. */
  readonly complete: boolean
  readonly pages: readonly ListedPage[]
}

export interface ListedPage {
  /** The Page's id. */
  readonly externalId: string
  readonly name: string
  /** Null: the user has not granted the permission for this Page. Does not expire by itself. */
  readonly token: string | null
  /** What the user may do there (`CREATE_CONTENT`). */
  readonly tasks: readonly string[]
  readonly instagramBusinessAccountId: string | null
}

export interface PageToken {
  readonly externalId: string
  readonly token: string
}

export type Provider = GraceProvider | ExtendProvider

/** What a fresh login yields; the start of an account. */
export interface FreshLogin {
  readonly platform: Platform
  readonly providerAppId: string
  readonly externalId: string
  readonly displayName: string
  readonly serviceUrl: string | null
  readonly issuer: string | null
  readonly scopes: readonly string[]
  readonly credential: Credential
  readonly accessExpiresAt: number | null
  readonly diesAt: number | null
  /** As in {@link Refreshed}. */
  readonly dataAccessExpiresAt?: number | null
}

/** A login that another app has kept until now. */
export interface StoredLogin extends FreshLogin {
  /** When its tokens were given (ms), as well as it is known; null = not known. */
  readonly issuedAt: number | null
}
