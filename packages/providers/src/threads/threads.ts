import type { GraphOptions } from '../graph/client.ts'
import { type CodeLogin, type LoginUrlRequest, loginUrl } from '../graph/login.ts'
import {
  connectLongLived,
  connectLongLivedToken,
  createLongLivedProvider,
  type LongLivedFamily,
} from '../graph/long-lived.ts'
import type { ExtendProvider, FreshLogin } from '../provider.ts'

export interface ThreadsOptions extends GraphOptions {
  /** Such as https://graph.threads.net, without a slash at the end; as the other. */
  readonly graphUrl: string
  /** Where users log in: https://threads.net */
  readonly dialogUrl: string
}

const SCOPES = ['threads_basic', 'threads_content_publish']

/** Threads API (https://developers.facebook.com/docs/threads/get-started/long-lived-tokens). */
export function createThreadsProvider(options: ThreadsOptions): ExtendProvider {
  return createLongLivedProvider(family(options), options)
}

/** See {@link connectLongLived}. */
export function connectThreads(options: ThreadsOptions, login: CodeLogin): Promise<FreshLogin> {
  return connectLongLived(family(options), options, login)
}

/** See {@link connectLongLivedToken}. */
export function connectThreadsToken(options: ThreadsOptions, token: string): Promise<FreshLogin> {
  return connectLongLivedToken(family(options), options, token)
}

export function threadsLoginUrl({ app, dialogUrl }: ThreadsOptions, request: LoginUrlRequest): string {
  return loginUrl(`${dialogUrl}/oauth/authorize`, app.id, { scopes: SCOPES, ...request })
}

function family({ graphUrl }: ThreadsOptions): LongLivedFamily {
  return {
    platform: 'threads',
    graphUrl,
    codeUrl: `${graphUrl}/oauth/access_token`,
    exchangeGrant: 'th_exchange_token',
    refreshGrant: 'th_refresh_token',
  }
}
