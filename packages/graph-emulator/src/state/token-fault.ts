import { GraphError } from '../errors/graph-error.ts'
import { grantOf } from './grants.ts'
import { appTokenValue, looksLikeToken } from './ids.ts'
import type { App, Family, Grant, Token, User } from './model.ts'
import { mayImpersonate } from './permissions.ts'
import { appToken } from './tokens.ts'
import { DATA_ACCESS, type World } from './world.ts'

/**
 * The token of this value, which may be dead.
 * @throws GraphError if it is none of this host family, or an app token of an earlier secret.
 */
export function findToken(world: World, value: string, family: Family): Token {
  if (value.includes('|')) return findAppToken(world, value, family)
  const token = world.tokens.get(value)
  if (token !== undefined && world.apps.get(token.appId)?.family === family) return token
  throw new GraphError(looksLikeToken(value, family) ? 'token_unreadable' : 'token_malformed', { token: value })
}

/** Why the token does not work now, by its real cause; undefined if it works. */
export function tokenFault(world: World, token: Token): GraphError | undefined {
  const app = world.apps.get(token.appId)
  if (app === undefined || app.standing === 'disabled') return new GraphError('app_disabled_190')
  if (app.standing === 'restricted') return new GraphError('app_restricted')
  if (token.kind === 'app') return undefined
  const user = world.users.get(token.userId!)
  const grant = grantOf(world, app.id, token.userId!)
  if (user === undefined || grant === undefined || grant.id !== token.grantId) {
    return new GraphError('app_removed', { app: app.id })
  }
  return (
    userFault(world, token, user, grant) ?? (token.kind === 'page' ? pageFault(world, token, user, grant) : undefined)
  )
}

function userFault(world: World, token: Token, user: User, grant: Grant): GraphError | undefined {
  const now = world.now()
  if (token.passwordGeneration !== user.passwordGeneration) return new GraphError('password_changed')
  if (token.revoked) return new GraphError('token_invalid')
  if (user.checkpointed) return new GraphError('checkpoint')
  if (!user.confirmed) return new GraphError('unconfirmed')
  if (token.expiresAt !== undefined && now >= token.expiresAt) {
    return new GraphError('expired', { expired: pacificTime(token.expiresAt), now: pacificTime(now) })
  }
  const lapsesAt = dataAccessEnd(world, user, grant)
  return lapsesAt !== undefined && now >= lapsesAt ? new GraphError('data_access_lapsed') : undefined
}

function pageFault(world: World, token: Token, user: User, grant: Grant): GraphError | undefined {
  const tasks = world.pages.has(token.pageId!) ? user.roles.get(token.pageId!) : undefined
  if (tasks === undefined || tasks.length === 0) return new GraphError('page_role_lost')
  return mayImpersonate(grant, token.pageId!) ? undefined : new GraphError('page_permission_lost')
}

/** ms; undefined = never: system users, and the other host families, which know no such end. */
export function dataAccessEnd(world: World, user: User, grant: Grant): number | undefined {
  if (user.systemUser || user.family !== 'facebook' || !world.settings.dataAccessLapses) return undefined
  return grant.engagedAt + DATA_ACCESS
}

/** `id|secret`, or what `client_credentials` gave. */
function findAppToken(world: World, value: string, family: Family): Token {
  const app: App | undefined = world.apps.get(value.slice(0, value.indexOf('|')))
  if (app === undefined || app.family !== family) {
    throw new GraphError(family === 'facebook' ? 'app_unknown' : 'token_unreadable')
  }
  if (value !== `${app.id}|${app.secret}` && value !== appTokenValue(app.id, app.secret)) {
    throw new GraphError('token_signature')
  }
  return appToken(world, app)
}

const PACIFIC = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/Los_Angeles',
  weekday: 'long',
  day: '2-digit',
  month: 'short',
  year: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
})

/** `Sunday, 22-Nov-26 05:12:44 PST` */
export function pacificTime(ms: number): string {
  const part = Object.fromEntries(PACIFIC.formatToParts(ms).map(({ type, value }) => [type, value]))
  const { weekday, day, month, year, hour, minute, second, timeZoneName } = part
  return `${weekday}, ${day}-${month}-${year} ${hour}:${minute}:${second} ${timeZoneName}`
}
