import { HOUR, MINUTE } from '@tokenkeeper/core'
import { GraphError } from '../errors/graph-error.ts'
import { grantOf } from './grants.ts'
import { codeValue } from './ids.ts'
import type { App, Code, Family, Grant, User } from './model.ts'
import type { World } from './world.ts'

/** Instagram: an hour, as documented; facebook.com's end after minutes. */
const LIFETIME: Record<Family, number> = { facebook: 10 * MINUTE, instagram: HOUR, threads: HOUR }

export function mintCode(world: World, app: App, user: User, grant: Grant, redirectUri: string): string {
  const value = codeValue()
  const expiresAt = world.now() + LIFETIME[app.family]
  world.codes.set(value, { appId: app.id, userId: user.id, grantId: grant.id, redirectUri, expiresAt, used: false })
  return value
}

/**
 * Takes a code once.
 * @throws GraphError if it is unknown, of another app, used, too old, withdrawn, or was given to another redirect_uri
 */
export function redeemCode(world: World, app: App, value: string, redirectUri: string): { user: User; grant: Grant } {
  const code: Code | undefined = world.codes.get(value)
  if (code === undefined || code.appId !== app.id) throw new GraphError('code_invalid')
  if (code.used) throw new GraphError('code_used')
  if (world.now() >= code.expiresAt) throw new GraphError('code_expired')
  if (code.redirectUri !== redirectUri) throw new GraphError('code_redirect')
  const user = world.users.get(code.userId)
  const grant = grantOf(world, app.id, code.userId)
  if (user === undefined || grant?.id !== code.grantId) throw new GraphError('app_removed', { app: app.id })
  code.used = true
  return { user, grant }
}
