import { GraphError } from '../../errors/graph-error.ts'
import { clientApp } from '../../http/client.ts'
import type { Call } from '../../http/host.ts'
import { redeemCode } from '../../state/codes.ts'
import { grantOf } from '../../state/grants.ts'
import type { App, Token } from '../../state/model.ts'
import { findToken, tokenFault } from '../../state/token-fault.ts'
import { appToken, mintUserToken } from '../../state/tokens.ts'
import { LONG_LIVED, type World } from '../../state/world.ts'

/** `/oauth/access_token`: what is asked for depends on grant_type; without one, a code is exchanged. */
export function accessToken(call: Call) {
  switch (call.params.grant_type) {
    case undefined:
    case 'authorization_code':
      return exchangeCode(call)
    case 'fb_exchange_token':
      return exchangeToken(call)
    case 'client_credentials':
      return { access_token: appToken(call.world, clientApp(call)).value, token_type: 'bearer' }
    default:
      throw new GraphError('invalid_parameter', { what: `Unsupported grant_type: ${call.params.grant_type}` })
  }
}

/** `/oauth/revoke`: ends one token. access_token must be of the same app. */
export function revoke(call: Call) {
  const app = clientApp(call)
  const presented = (name: string) => {
    const value = call.params[name]
    if (value === undefined) throw new GraphError('invalid_parameter', { what: `The parameter ${name} is required` })
    return ownToken(call.world, app, value)
  }
  presented('access_token')
  presented('revoke_token').revoked = true
  return { success: true }
}

function exchangeCode(call: Call) {
  const { redirect_uri: redirectUri, code } = call.params
  if (redirectUri === undefined) {
    if (call.params.client_id !== undefined) throw new GraphError('redirect_missing')
    throw new GraphError('app_id_missing')
  }
  const app = clientApp(call)
  if (code === undefined || code === '') throw new GraphError('code_missing')
  const { user, grant } = redeemCode(call.world, app, code, redirectUri)
  return answer(call, mintUserToken(call.world, app, user, grant, { longLived: false }), false)
}

/** Short- to long-lived, and long-lived again: what the latter does to the end, Meta does not say; refreshMode does. */
function exchangeToken(call: Call) {
  const { world } = call
  const app = clientApp(call)
  const value = call.params.fb_exchange_token
  if (value === undefined || value === '') throw new GraphError('exchange_token_missing')
  const old = ownToken(world, app, value)
  const fault = tokenFault(world, old)
  if (fault !== undefined) throw fault
  if (old.kind !== 'user') throw new GraphError('token_unknown')
  const user = world.users.get(old.userId!)!
  const grant = grantOf(world, app.id, user.id)!

  const { refreshMode } = world.settings
  let expiresAt: number | null = world.now() + LONG_LIVED
  if (user.systemUser) {
    if (call.params.set_token_expires_in_60_days !== 'true') expiresAt = old.expiresAt ?? null
  } else if (old.longLived && refreshMode === 'same_expiry') expiresAt = old.expiresAt ?? null
  const token = mintUserToken(world, app, user, grant, { longLived: true, expiresAt })
  return answer(call, token, refreshMode === 'omit_expires_in')
}

function ownToken(world: World, app: App, value: string): Token {
  const token = findToken(world, value, 'facebook')
  if (token.appId !== app.id) throw new GraphError('token_unknown')
  return token
}

function answer({ world }: Call, { value, expiresAt }: Token, omitExpiresIn: boolean) {
  const expiresIn = expiresAt === undefined ? undefined : Math.floor((expiresAt - world.now()) / 1_000)
  return {
    access_token: value,
    token_type: 'bearer',
    ...(expiresIn === undefined || omitExpiresIn ? {} : { expires_in: expiresIn }),
  }
}
