import { type Credential, SECOND, tokenDigest } from '@tokenkeeper/core'
import type { HttpResult } from '../http/http.ts'
import type { GraceProvider, Location, ProviderAccount, RefreshAnswer } from '../provider.ts'
import { classify } from './classify.ts'
import { findHome, type IdentityOptions, isIssuerOf, isSameHome } from './identity.ts'
import { readClaims } from './jwt.ts'
import { createSession } from './login.ts'
import { parseJson, readSession, successorFor } from './session.ts'

export interface BlueskyOptions extends IdentityOptions {
  /** Told of what cannot be told otherwise: a log-out that failed. Never handed a secret. */
  readonly log?: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

const LOGOUT_TIMEOUT_MS = 10 * SECOND

/**
 * Sessions at a Bluesky PDS (com.atproto.server.refreshSession). The refresh is a plain request: the agent of
 * @atproto/api has no time-out, drops sessions on any 401 and asks getSession besides.
 */
export function createBlueskyProvider(options: BlueskyOptions): GraceProvider {
  const { http, clock } = options

  /** Procedures that take a refresh token and no body: a PDS rejects even `{}`. */
  function present(account: ProviderAccount, method: string, token: string, timeoutMs?: number): Promise<HttpResult> {
    return http.request({
      method: 'POST',
      url: `${account.serviceUrl}/xrpc/com.atproto.server.${method}`,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
  }

  async function refresh(account: ProviderAccount, { refreshToken }: Credential): Promise<RefreshAnswer> {
    if (!wasIssuedThere(account, refreshToken)) {
      return { kind: 'bug', code: 'BLUESKY_WRONG_ISSUER', internal: 'the stored token names another issuer; not sent' }
    }
    const result = await present(account, 'refreshSession', refreshToken)
    if (result.kind === 'answer' && result.status === 200) {
      return successorFor(account.externalId, readSession(parseJson(result)))
    }
    return classify('refresh', result, clock.now(), [refreshToken])
  }

  async function loginAgain(account: ProviderAccount, appPassword: string): Promise<RefreshAnswer> {
    const login = { serviceUrl: account.serviceUrl ?? '', identifier: account.externalId, password: appPassword }
    const answer = await createSession(options, login)
    return answer.kind === 'session' ? successorFor(account.externalId, answer.session) : answer.verdict
  }

  async function locate(account: ProviderAccount): Promise<Location> {
    const home = await findHome(options, account.externalId)
    if (home.kind !== 'found') return home
    return isSameHome(home.origin, account.serviceUrl ?? '') ? { kind: 'here' } : { kind: 'moved', host: home.origin }
  }

  /** Oldest first: a deleted token would come back from its parent, refreshed within the parent's grace. */
  async function logout(account: ProviderAccount, credentials: readonly Credential[]): Promise<void> {
    for (const { refreshToken } of credentials) {
      const result = await present(account, 'deleteSession', refreshToken, LOGOUT_TIMEOUT_MS)
      if (result.kind === 'answer' && result.status === 200) continue
      const { code, internal } = classify('refresh', result, clock.now(), [refreshToken])
      options.log?.('log-out failed', { accountId: account.id, code, internal })
    }
  }

  return {
    platform: 'bluesky',
    kind: 'grace',
    refresh,
    loginAgain,
    locate,
    logout,
    // A token without an id is told apart by its bytes.
    tokenId: ({ refreshToken }) => readClaims(refreshToken).jti ?? tokenDigest(refreshToken),
    hostOf: ({ serviceUrl }) => URL.parse(serviceUrl ?? '')?.host ?? 'unknown',
  }
}

/**
 * A refresh token goes only to the host that it was issued through. A PDS accepts only tokens that name itself (or its
 * entryway) as `aud`, so another one means that ours got mixed up. A host that changed its issuer's name keeps its
 * sessions: its new tokens name the host.
 */
function wasIssuedThere({ issuer, serviceUrl }: ProviderAccount, refreshToken: string): boolean {
  const aud = readClaims(refreshToken).aud
  return issuer === null || aud === issuer || isIssuerOf(aud ?? '', serviceUrl ?? '')
}
