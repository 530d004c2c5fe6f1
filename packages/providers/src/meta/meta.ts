import { type Credential, SECOND, type Verdict } from '@tokenkeeper/core'
import { z } from 'zod'
import { keptToken, keptWithUnknownEnd } from '../graph/token-answer.ts'
import type { ExtendProvider, PageProvider, ProviderAccount, RefreshAnswer, Refreshed } from '../provider.ts'
import { BUSINESS_ISSUER, type ExchangedToken, exchangeToken, requestToken } from './exchange.ts'
import { createMetaGraph, type MetaOptions } from './graph.ts'
import { inspectToken } from './inspect-token.ts'
import { createMetaPages } from './pages.ts'

export interface MetaProvider extends ExtendProvider {
  readonly pages: PageProvider
  probeApp(): Promise<'accepted' | Verdict>
}

const LOGOUT_TIMEOUT_MS = 10 * SECOND
const PROBE_TIMEOUT_MS = 30 * SECOND
const success = z.object({ success: z.literal(true) })

/** Facebook Login: user tokens, system users' tokens, and the tokens of Pages. */
export function createMetaProvider(options: MetaOptions): MetaProvider {
  const graph = createMetaGraph(options)

  async function refresh(account: ProviderAccount, { accessToken }: Credential): Promise<RefreshAnswer> {
    // An end that is not known may be none. A token without an end is only looked at: exchanged, it would get one.
    if (account.diesAt === null) {
      const inspection = await inspectToken(graph, accessToken)
      if (!inspection.ok) return inspection.verdict
      const { valid, expiresAt, dataAccessExpiresAt } = inspection.value
      if (valid && expiresAt === null) return { ...keptToken(accessToken, null, null), dataAccessExpiresAt }
    }
    const ofSystemUser = account.issuer === BUSINESS_ISSUER
    const reply = await exchangeToken(graph, accessToken, { ofSystemUser })
    if (!reply.ok) return reply.verdict
    const { diesAt, ...more } = reply.value
    const kept =
      diesAt === 'unknown'
        ? keptWithUnknownEnd(more.accessToken, account.diesAt)
        : keptToken(more.accessToken, diesAt, account.diesAt)
    return { ...kept, ...((await dataAccessOf(account, more)) ?? {}) }
  }

  /** The user may have used the app since, which moves this end; a refresh does not, and does not tell it. */
  async function dataAccessOf(
    account: ProviderAccount,
    { accessToken, dataAccessExpiresAt }: Pick<ExchangedToken, 'accessToken' | 'dataAccessExpiresAt'>,
  ): Promise<Pick<Refreshed, 'dataAccessExpiresAt'> | null> {
    if (dataAccessExpiresAt !== undefined) return { dataAccessExpiresAt }
    if (!account.dataAccessExpiresAt) return null
    const inspection = await inspectToken(graph, accessToken)
    return inspection.ok ? { dataAccessExpiresAt: inspection.value.dataAccessExpiresAt } : null
  }

  /** A token that Meta calls invalid, but for a reason that may heal, is not dead. */
  async function confirmDead(_: ProviderAccount, { accessToken }: Credential): Promise<'dead' | 'alive' | 'unknown'> {
    const inspection = await inspectToken(graph, accessToken)
    if (!inspection.ok) return 'unknown'
    const { valid, fault } = inspection.value
    if (valid) return 'alive'
    return fault === null || fault.kind === 'dead' ? 'dead' : 'unknown'
  }

  /** Takes all permissions of our app back, and so ends every token that this user gave it, Pages' too. */
  async function logout(account: ProviderAccount, credentials: readonly Credential[]): Promise<void> {
    const newest = credentials.at(-1)
    if (!newest) return
    const { accessToken } = newest
    const reply =
      account.issuer === BUSINESS_ISSUER
        ? await revokeToken(accessToken)
        : await revokePermissions(account, accessToken)
    // A dead token has nothing left to take back.
    if (reply.ok || reply.verdict.kind === 'dead') return
    const { code, internal } = reply.verdict
    options.log?.('log-out failed', { accountId: account.id, code, internal })
  }

  function revokePermissions(account: ProviderAccount, token: string) {
    return graph.call('revoke', success, {
      method: 'DELETE',
      url: graph.url(`${account.externalId}/permissions`),
      query: graph.proof(token),
      bearer: token,
      timeoutMs: LOGOUT_TIMEOUT_MS,
    })
  }

  /** A system user gave no permissions to take back; its token is ended by itself. */
  function revokeToken(token: string) {
    const { id, secret } = options.app
    return graph.call('revoke', success, {
      method: 'POST',
      url: graph.url('oauth/revoke'),
      form: { client_id: id, client_secret: secret, revoke_token: token, access_token: token },
      timeoutMs: LOGOUT_TIMEOUT_MS,
    })
  }

  /** The secret and the standing of our app, by its own token and by a call with it: no account is touched. */
  async function probeApp(): Promise<'accepted' | Verdict> {
    const reply = await requestToken(graph, 'app', { grant_type: 'client_credentials' }, PROBE_TIMEOUT_MS)
    if (!reply.ok) return reply.verdict
    const inspection = await inspectToken(graph, graph.appToken)
    if (!inspection.ok) return inspection.verdict
    return inspection.value.fault ?? 'accepted'
  }

  return {
    platform: 'meta',
    kind: 'extend',
    appId: options.app.id,
    refresh,
    confirmDead,
    logout,
    probeApp,
    pages: createMetaPages(graph),
    hostOf: () => new URL(options.graphUrl).host,
  }
}
