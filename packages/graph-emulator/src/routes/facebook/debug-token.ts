import { GraphError } from '../../errors/graph-error.ts'
import { authenticate } from '../../http/authenticate.ts'
import type { Call } from '../../http/host.ts'
import { grantOf } from '../../state/grants.ts'
import type { Grant, Token } from '../../state/model.ts'
import { grantedPermissions, isAboutPages } from '../../state/permissions.ts'
import { dataAccessEnd, findToken, tokenFault } from '../../state/token-fault.ts'
import type { World } from '../../state/world.ts'

/**
 * `/debug_token`. What is wrong with the token that is asked about stands in `data.error`, with status 200; what is wrong
 * with the asking one is a plain error.
 */
export function debugToken(call: Call) {
  const { world, params } = call
  const asking = authenticate(call)
  const app = world.apps.get(asking.appId)!
  if (asking.kind !== 'app' && !(asking.kind === 'user' && app.developers.has(asking.userId!))) {
    throw new GraphError('invalid_parameter', {
      what: 'You must provide an app access token, or a user access token that is an owner or developer of the app',
    })
  }
  if (params.input_token === undefined || params.input_token === '') {
    throw new GraphError('invalid_parameter', { what: 'The parameter input_token is required' })
  }
  let token: Token
  try {
    token = findToken(world, params.input_token, call.family)
  } catch (error) {
    if (!(error instanceof GraphError)) throw error
    return { data: { error: nested(error), is_valid: false, scopes: [] } }
  }
  if (token.appId !== app.id) {
    throw new GraphError('invalid_parameter', {
      what: 'The App_id in the input_token did not match the Viewing App',
    })
  }
  return { data: describe(world, token) }
}

function describe(world: World, token: Token) {
  const app = world.apps.get(token.appId)!
  const fault = tokenFault(world, token)
  const basics = { app_id: app.id, application: app.name, is_valid: fault === undefined }
  if (token.kind === 'app') return { ...basics, type: 'APP' }
  const user = world.users.get(token.userId!)
  const grant = grantOf(world, app.id, token.userId!)
  const current = grant?.id === token.grantId ? grant : undefined
  const lapsesAt = user && current ? dataAccessEnd(world, user, current) : undefined
  return {
    ...basics,
    type: token.kind === 'page' ? 'PAGE' : user?.systemUser ? 'SYSTEM_USER' : 'USER',
    data_access_expires_at: seconds(lapsesAt),
    expires_at: seconds(token.expiresAt),
    ...(fault === undefined ? {} : { error: nested(fault) }),
    ...(token.longLived ? { issued_at: seconds(token.issuedAt) } : {}),
    ...(token.pageId === undefined ? {} : { profile_id: token.pageId }),
    scopes: current === undefined ? [] : grantedPermissions(current),
    granular_scopes: current === undefined ? [] : granularScopes(current),
    user_id: token.userId,
  }
}

/** Without target_ids: all there are. */
function granularScopes(grant: Grant) {
  return grantedPermissions(grant)
    .filter(isAboutPages)
    .map((scope) => {
      const targets = grant.targets.get(scope)
      return { scope, ...(targets === undefined ? {} : { target_ids: [...targets] }) }
    })
}

/** Here the key is `subcode`, not error_subcode. */
function nested({ row, message }: GraphError) {
  return { code: row.code, message, ...(row.subcode === undefined ? {} : { subcode: row.subcode }) }
}

/** Unix time; 0 = never. */
function seconds(ms: number | undefined): number {
  return ms === undefined ? 0 : Math.floor(ms / 1_000)
}
