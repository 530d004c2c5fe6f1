import { type Clock, CodedError, type Credential, HOUR, MINUTE, SECOND, type Verdict } from '@tokenkeeper/core'
import { z } from 'zod'
import type { ExtendProvider, FreshLogin, ProviderAccount, RefreshAnswer } from '../provider.ts'
import { createGraphClient, type GraphClient, type GraphOptions } from './client.ts'
import { type CodeLogin, loginError, readCode } from './login.ts'
import { endOf, keptToken, keptWithUnknownEnd, tokenAnswer } from './token-answer.ts'

/** What tells Instagram's and Threads' long-lived tokens apart, which work alike. */
export interface LongLivedFamily {
  readonly platform: 'instagram' | 'threads'
  /** Such as https://graph.threads.net; their endpoints for tokens have no version. */
  readonly graphUrl: string
  readonly codeUrl: string
  readonly exchangeGrant: 'ig_exchange_token' | 'th_exchange_token'
  readonly refreshGrant: 'ig_refresh_token' | 'th_refresh_token'
}

interface LongLivedToken {
  readonly accessToken: string
  /** In ms; null = not told. */
  readonly diesAt: number | null
}

/** A token is refreshed no sooner than this after it was given, with room for clocks that differ. */
const LEAST_AGE_MS = 24 * HOUR + 5 * MINUTE
const READ_TIMEOUT_MS = 10 * SECOND
const LOGIN_TIMEOUT_MS = 30 * SECOND

const REFUSED = { publicMessage: 'The provider does not accept this token.' }

const id = z.union([z.string().min(1), z.number().transform(String)])
const profile = z.object({ id: id.optional(), user_id: id.optional(), username: z.string().optional() })

/** Instagram documents the answer in a list under `data`, and gives it flat; permissions are a list or a text. */
const shortLived = z.object({
  access_token: z.string(),
  user_id: id,
  permissions: z
    .union([z.array(z.string()), z.string().transform((text) => text.split(','))])
    .optional()
    .catch(undefined),
})
const codeAnswer = z.union([shortLived, z.object({ data: z.tuple([shortLived]) }).transform(({ data }) => data[0])])

/**
 * Refreshing extends to 60 days from then, as documented, and may return the same string. It takes a GET with the token
 * in the address: a POST is refused (instafeed#654).
 */
export function createLongLivedProvider(family: LongLivedFamily, options: GraphOptions): ExtendProvider {
  const client = createGraphClient(family.platform, options)

  async function refresh(account: ProviderAccount, credential: Credential): Promise<RefreshAnswer> {
    const askedAt = options.clock.now()
    const reply = await client.call('refresh', tokenAnswer, {
      method: 'GET',
      url: `${family.graphUrl}/refresh_access_token`,
      query: { grant_type: family.refreshGrant, access_token: credential.accessToken },
    })
    if (!reply.ok) return reply.verdict
    const accessToken = reply.value.access_token
    const diesAt = endOf(reply.value, askedAt)
    return diesAt === null
      ? keptWithUnknownEnd(accessToken, account.diesAt)
      : keptToken(accessToken, diesAt, account.diesAt)
  }

  /** There is no debug_token for these tokens; one that still reads its own user is alive. */
  async function confirmDead(_: ProviderAccount, { accessToken }: Credential): Promise<'dead' | 'alive' | 'unknown'> {
    const reply = await readProfile(client, family, accessToken)
    if (reply.ok) return 'alive'
    return reply.verdict.kind === 'dead' ? 'dead' : 'unknown'
  }

  return {
    platform: family.platform,
    kind: 'extend',
    appId: options.app.id,
    refresh,
    confirmDead,
    earliestRefreshAt: ({ connectedAt, lastRefreshedAt }) => Math.max(connectedAt, lastRefreshedAt ?? 0) + LEAST_AGE_MS,
    /** Neither documents a way to end a token; the user does that in the app's settings. */
    logout: async () => {},
    hostOf: () => new URL(family.graphUrl).host,
  }
}

/**
 * Code → short-lived → long-lived token, at once. Throws a CodedError: LOGIN_CODE_REFUSED, LOGIN_FAILED (start again:
 * the code is used up, or may be), or what is wrong with our app.
 */
export async function connectLongLived(
  family: LongLivedFamily,
  options: GraphOptions,
  login: CodeLogin,
): Promise<FreshLogin> {
  const client = createGraphClient(family.platform, options)
  const short = await exchangeCode(client, family, options, login)
  const long = await exchangeToken(client, family, options, short.access_token)
  if (!long.ok) throw loginError(long.verdict)
  const profileReply = await readProfile(client, family, long.value.accessToken)
  if (!profileReply.ok) throw loginError(profileReply.verdict)
  const user = { id: short.user_id, name: profileReply.value.username, scopes: short.permissions }
  return toFreshLogin(family, options, long.value, user)
}

/**
 * A user's token, short- or long-lived, that whoever operates the app has. A long-lived one cannot be exchanged, and its
 * end cannot be asked for: it is kept as it is, and its first refresh tells. Throws as connectLongLived does;
 * LOGIN_REFUSED if the token is not accepted.
 */
export async function connectLongLivedToken(
  family: LongLivedFamily,
  options: GraphOptions,
  token: string,
): Promise<FreshLogin> {
  const client = createGraphClient(family.platform, options)
  const exchanged = await exchangeToken(client, family, options, token)
  // What is not refused for good may have been short-lived: kept, it would be over in an hour.
  if (!exchanged.ok && exchanged.verdict.kind !== 'dead') throw loginError(exchanged.verdict)
  const kept = exchanged.ok ? exchanged.value : { accessToken: token, diesAt: null }
  const reply = await readProfile(client, family, kept.accessToken)
  if (!reply.ok)
    throw reply.verdict.kind === 'dead' ? new CodedError('LOGIN_REFUSED', REFUSED) : loginError(reply.verdict)
  const { id = reply.value.user_id, username } = reply.value
  if (id === undefined) throw new CodedError('LOGIN_FAILED', { internal: 'a profile without an id' })
  return toFreshLogin(family, options, kept, { id, name: username, scopes: undefined })
}

function toFreshLogin(
  { platform }: LongLivedFamily,
  { app }: GraphOptions,
  { accessToken, diesAt }: LongLivedToken,
  user: { readonly id: string; readonly name: string | undefined; readonly scopes: readonly string[] | undefined },
): FreshLogin {
  return {
    platform,
    providerAppId: app.id,
    externalId: user.id,
    displayName: user.name ?? user.id,
    serviceUrl: null,
    issuer: null,
    scopes: user.scopes ?? [],
    credential: { accessToken, refreshToken: '' },
    accessExpiresAt: diesAt,
    diesAt,
  }
}

async function exchangeCode(
  client: GraphClient,
  { codeUrl }: LongLivedFamily,
  { app }: GraphOptions,
  { code, redirectUri }: CodeLogin,
): Promise<z.infer<typeof shortLived>> {
  const reply = await client.call('code', codeAnswer, {
    method: 'POST',
    url: codeUrl,
    form: {
      client_id: app.id,
      client_secret: app.secret,
      grant_type: 'authorization_code',
      redirect_uri: redirectUri,
      code: readCode(code),
    },
    timeoutMs: LOGIN_TIMEOUT_MS,
  })
  if (!reply.ok) throw loginError(reply.verdict)
  return reply.value
}

/** By GET alone, as documented. */
async function exchangeToken(
  client: GraphClient,
  { graphUrl, exchangeGrant }: LongLivedFamily,
  { app, clock }: { readonly app: GraphOptions['app']; readonly clock: Clock },
  token: string,
): Promise<{ readonly ok: true; readonly value: LongLivedToken } | { readonly ok: false; readonly verdict: Verdict }> {
  const askedAt = clock.now()
  const reply = await client.call('exchange', tokenAnswer, {
    method: 'GET',
    url: `${graphUrl}/access_token`,
    query: { grant_type: exchangeGrant, client_secret: app.secret, access_token: token },
    timeoutMs: LOGIN_TIMEOUT_MS,
  })
  if (!reply.ok) return reply
  return { ok: true, value: { accessToken: reply.value.access_token, diesAt: endOf(reply.value, askedAt) } }
}

function readProfile(client: GraphClient, { graphUrl }: LongLivedFamily, token: string) {
  return client.call('profile', profile, {
    method: 'GET',
    url: `${graphUrl}/me`,
    query: { fields: 'id,username', access_token: token },
    timeoutMs: READ_TIMEOUT_MS,
  })
}
