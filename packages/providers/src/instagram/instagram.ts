import type { GraphOptions } from '../graph/client.ts'
import { type CodeLogin, type LoginUrlRequest, loginUrl } from '../graph/login.ts'
import {
  connectLongLived,
  connectLongLivedToken,
  createLongLivedProvider,
  type LongLivedFamily,
} from '../graph/long-lived.ts'
import type { ExtendProvider, FreshLogin } from '../provider.ts'

export interface InstagramOptions extends GraphOptions {
  /** Such as https://graph.instagram.com, without a slash at the end; as the others. */
  readonly graphUrl: string
  /** Where codes are exchanged: https://api.instagram.com */
  readonly apiUrl: string
  /** Where users log in: https://www.instagram.com */
  readonly dialogUrl: string
}

const SCOPES = ['instagram_business_basic', 'instagram_business_content_publish']

/**
 * Instagram API with Instagram Login
 * (https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token).
 */
export function createInstagramProvider(options: InstagramOptions): ExtendProvider {
  return createLongLivedProvider(family(options), options)
}

/** See {@link connectLongLived}. */
export function connectInstagram(options: InstagramOptions, login: CodeLogin): Promise<FreshLogin> {
  return connectLongLived(family(options), options, login)
}

/** See {@link connectLongLivedToken}. */
export function connectInstagramToken(options: InstagramOptions, token: string): Promise<FreshLogin> {
  return connectLongLivedToken(family(options), options, token)
}

export function instagramLoginUrl({ app, dialogUrl }: InstagramOptions, request: LoginUrlRequest): string {
  return loginUrl(`${dialogUrl}/oauth/authorize`, app.id, { scopes: SCOPES, ...request })
}

function family({ graphUrl, apiUrl }: InstagramOptions): LongLivedFamily {
  return {
    platform: 'instagram',
    graphUrl,
    codeUrl: `${apiUrl}/oauth/access_token`,
    exchangeGrant: 'ig_exchange_token',
    refreshGrant: 'ig_refresh_token',
  }
}
