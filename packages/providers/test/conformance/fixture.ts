import type { Credential } from '@tokenkeeper/core'
import type { FreshLogin, Provider, ProviderAccount } from '../../src/index.ts'

/** A provider against a server of its own, for one test. */
export interface ProviderFixture extends AsyncDisposable {
  /** Where the server is. */
  readonly url: string
  /** The provider, with all its requests to the server going to another address (a proxy before it). */
  at(url: string): { readonly provider: Provider; account(login: FreshLogin): ProviderAccount }
  /** A login as a user makes it, old enough to be refreshed. */
  connect(): Promise<FreshLogin>
  /** Asks the server itself whether it accepts the access token. */
  accepts(credential: Credential): Promise<boolean>
  /** The user ends it at the server. */
  revoke(login: FreshLogin): Promise<void>
  /** What must never be told, besides the tokens. */
  readonly secrets: readonly string[]
  /** An answer that refuses a token and repeats it, as the platform words it. */
  refusal(token: string): unknown
}

export type OpenProvider = () => Promise<ProviderFixture>
