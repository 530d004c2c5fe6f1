import { DAY, HOUR } from '@tokenkeeper/core'
import type { FastifyInstance } from 'fastify'
import { GraphError } from '../errors/graph-error.ts'
import { authenticate, chargeCall } from '../http/authenticate.ts'
import type { Call } from '../http/host.ts'
import { redeemCode } from '../state/codes.ts'
import { grantOf } from '../state/grants.ts'
import type { App, Grant, Token, User } from '../state/model.ts'
import { BASIC, isGranted } from '../state/permissions.ts'
import { mintUserToken } from '../state/tokens.ts'
import { LONG_LIVED } from '../state/world.ts'
import { pickFields } from './facebook/fields.ts'

/** Where Instagram and Threads differ. */
export interface Platform {
  readonly exchangeGrant: 'ig_exchange_token' | 'th_exchange_token'
  readonly refreshGrant: 'ig_refresh_token' | 'th_refresh_token'
  codeAnswer(call: Call, token: Token, grant: Grant): unknown
  /** The refusal of a client_id, a secret or a code at the code exchange. */
  refusal(what: 'app' | 'secret' | 'code'): GraphError
  me(user: User): Readonly<Record<string, unknown>>
}

/** Codes to an hour's token, that to one of 60 days, and its refresh: the same at graph.instagram.com and graph.threads.net. */
export function sixtyDayRoutes(app: FastifyInstance, platform: Platform): void {
  app.post('/oauth/access_token', async ({ call }) => exchangeCode(call, platform))
  app.get('/access_token', async ({ call }) => exchange(call, platform))
  app.get('/refresh_access_token', async ({ call }) => refresh(call, platform))
  app.get<{ Params: { id: string } }>('/:id', async ({ call, params }) => {
    const token = authenticate(call, 'token_missing')
    const user = call.world.users.get(token.userId!)!
    if (params.id !== 'me' && params.id !== user.id)
      throw new GraphError('object_unknown', { method: 'get', id: params.id })
    requireBasic(call, token)
    return pickFields('User', platform.me(user), call.params.fields, ['id'])
  })
}

function exchangeCode(call: Call, platform: Platform) {
  const { client_id: id = '', client_secret: secret, code = '', redirect_uri: redirectUri = '' } = call.params
  const app = call.world.apps.get(id)
  if (app === undefined || app.family !== call.family || app.standing === 'disabled') throw platform.refusal('app')
  if (app.standing === 'restricted') throw new GraphError('app_restricted')
  if (secret !== app.secret) throw platform.refusal('secret')
  if (call.params.grant_type !== 'authorization_code') {
    throw new GraphError('invalid_parameter', { what: 'grant_type must be authorization_code' })
  }
  chargeCall(call, app)
  const { user, grant } = redeem(call, app, code, redirectUri, platform)
  const expiresAt = call.world.now() + HOUR
  const token = mintUserToken(call.world, app, user, grant, { longLived: false, expiresAt })
  return platform.codeAnswer(call, token, grant)
}

/** Clients send the code with the `#_` of the redirect, or without. */
function redeem(call: Call, app: App, code: string, redirectUri: string, platform: Platform) {
  try {
    return redeemCode(call.world, app, code.replace(/#_$/, ''), redirectUri)
  } catch (error) {
    throw error instanceof GraphError ? platform.refusal('code') : error
  }
}

/** A short-lived token to one of 60 days. Refused for one that is long-lived already. */
function exchange(call: Call, platform: Platform) {
  requireGrantType(call, platform.exchangeGrant)
  const token = authenticate(call)
  const app = call.world.apps.get(token.appId)!
  if (call.params.client_secret !== app.secret) throw new GraphError('secret_wrong_100')
  if (token.longLived) throw new GraphError('token_unknown')
  requireBasic(call, token)
  return answer(call, successor(call, app, token))
}

/** Sixty more days for a token that is 24 hours old and lives. */
function refresh(call: Call, platform: Platform) {
  const { world } = call
  requireGrantType(call, platform.refreshGrant)
  const token = authenticate(call)
  requireBasic(call, token)
  if (!token.longLived || world.now() - token.refreshedAt < DAY) throw new GraphError('refresh_too_early')
  if (world.settings.refreshedToken === 'new') {
    return answer(call, successor(call, world.apps.get(token.appId)!, token))
  }
  token.expiresAt = world.now() + LONG_LIVED
  token.refreshedAt = world.now()
  return answer(call, token)
}

function successor({ world }: Call, app: App, token: Token): Token {
  const user = world.users.get(token.userId!)!
  return mintUserToken(world, app, user, grantOf(world, app.id, user.id)!, { longLived: true })
}

function requireGrantType({ params }: Call, expected: string): void {
  if (params.grant_type === expected) return
  throw new GraphError('invalid_parameter', { what: `grant_type must be ${expected}` })
}

function requireBasic({ world, family }: Call, token: Token): void {
  const grant = grantOf(world, token.appId, token.userId!)!
  if (!isGranted(grant, BASIC[family])) throw new GraphError('permission_10')
}

function answer({ world }: Call, { value, expiresAt }: Token) {
  return { access_token: value, token_type: 'bearer', expires_in: Math.floor((expiresAt! - world.now()) / 1_000) }
}
