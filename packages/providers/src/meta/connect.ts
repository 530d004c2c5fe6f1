import { CodedError, SECOND } from '@tokenkeeper/core'
import { z } from 'zod'
import { type CodeLogin, type LoginUrlRequest, loginError, loginUrl, readCode } from '../graph/login.ts'
import type { FreshLogin } from '../provider.ts'
import { BUSINESS_ISSUER, type ExchangedToken, exchangeToken, requestToken } from './exchange.ts'
import { createMetaGraph, type MetaGraph, type MetaOptions } from './graph.ts'
import { inspectToken, type TokenInfo } from './inspect-token.ts'

/** business_management: without it, Pages that a business owns are not listed (chatwoot#7219, n8n#7615). */
const SCOPES = [
  'public_profile',
  'pages_show_list',
  'pages_read_engagement',
  'pages_manage_posts',
  'business_management',
  'instagram_basic',
]

const TIMEOUT_MS = 30 * SECOND
const profile = z.object({ id: z.union([z.string(), z.number().transform(String)]), name: z.string().catch('') })

export function metaLoginUrl({ app, dialogUrl, graphVersion }: MetaOptions, request: LoginUrlRequest): string {
  return loginUrl(`${dialogUrl}/${graphVersion}/dialog/oauth`, app.id, { scopes: SCOPES, ...request })
}

/**
 * Code → short-lived → long-lived token, at once; whose it is, and what it may. Nothing is tried again: a code works
 * once. Throws a CodedError: LOGIN_CODE_REFUSED, LOGIN_FAILED (start again), PROVIDER_WRONG_ACCOUNT, or what is wrong
 * with our app.
 */
export async function connectMeta(options: MetaOptions, { code, redirectUri }: CodeLogin): Promise<FreshLogin> {
  const graph = createMetaGraph(options)
  const form = { redirect_uri: redirectUri, code: readCode(code) }
  const short = await requestToken(graph, 'code', form, TIMEOUT_MS)
  if (!short.ok) throw loginError(short.verdict)
  const long = await exchangeToken(graph, short.value.access_token, { ofSystemUser: false, timeoutMs: TIMEOUT_MS })
  if (!long.ok) throw loginError(long.verdict)
  return toFreshLogin(graph, long.value, null)
}

/**
 * A user's token, short- or long-lived, that whoever operates the app has. It is exchanged at once. Throws as
 * connectMeta does; LOGIN_REFUSED if it is no user's token, or not of our app.
 */
export async function connectMetaToken(options: MetaOptions, token: string): Promise<FreshLogin> {
  const graph = createMetaGraph(options)
  const { type } = await inspectOwn(graph, token)
  if (type !== null && type !== 'USER') throw refused('This is no token of a user.')
  const long = await exchangeToken(graph, token, { ofSystemUser: false, timeoutMs: TIMEOUT_MS })
  if (!long.ok) throw loginError(long.verdict)
  return toFreshLogin(graph, long.value, null)
}

/**
 * A system user's token, as its business made it. It is stored as it is: only a refresh exchanges it, and only if it has
 * an end. Throws as connectMeta does; LOGIN_REFUSED if it is no such token.
 */
export async function connectSystemUser(options: MetaOptions, token: string): Promise<FreshLogin> {
  const graph = createMetaGraph(options)
  const info = await inspectOwn(graph, token)
  if (info.type === 'PAGE' || info.type === 'APP') throw refused('This is no token of a system user.')
  return toFreshLogin(graph, { accessToken: token, diesAt: info.expiresAt }, BUSINESS_ISSUER)
}

async function toFreshLogin(
  graph: MetaGraph,
  { accessToken, diesAt }: ExchangedToken,
  issuer: string | null,
): Promise<FreshLogin> {
  const user = await readUser(graph, accessToken)
  const info = await inspectOwn(graph, accessToken)
  if (info.userId !== user.id) throw new CodedError('PROVIDER_WRONG_ACCOUNT')
  const end = diesAt === 'unknown' ? info.expiresAt : diesAt
  return {
    platform: 'meta',
    providerAppId: graph.options.app.id,
    externalId: user.id,
    displayName: user.name || user.id,
    serviceUrl: null,
    issuer,
    scopes: info.scopes,
    credential: { accessToken, refreshToken: '' },
    accessExpiresAt: end,
    diesAt: end,
    dataAccessExpiresAt: info.dataAccessExpiresAt,
  }
}

async function readUser(graph: MetaGraph, token: string): Promise<z.infer<typeof profile>> {
  const reply = await graph.call('profile', profile, {
    method: 'GET',
    url: graph.url('me'),
    query: { fields: 'id,name', ...graph.proof(token) },
    bearer: token,
    timeoutMs: TIMEOUT_MS,
  })
  if (!reply.ok) throw loginError(reply.verdict)
  return reply.value
}

async function inspectOwn(graph: MetaGraph, token: string): Promise<TokenInfo> {
  const inspection = await inspectToken(graph, token)
  if (!inspection.ok) throw loginError(inspection.verdict)
  if (!inspection.value.valid) throw refused('The provider does not accept this token.')
  if (inspection.value.appId !== graph.options.app.id) throw refused('This token was given to another app.')
  return inspection.value
}

function refused(publicMessage: string): CodedError {
  return new CodedError('LOGIN_REFUSED', { publicMessage })
}
