import { GraphError } from '../errors/graph-error.ts'
import { grantedPermissions } from '../state/permissions.ts'
import type { Platform } from './sixty-days.ts'

const REFUSALS = { app: 'Invalid platform app', secret: 'Error validating client secret.' }

/** graph.instagram.com and api.instagram.com */
export const instagram: Platform = {
  exchangeGrant: 'ig_exchange_token',
  refreshGrant: 'ig_refresh_token',
  codeAnswer({ world }, { value, userId }, grant) {
    const permissions = grantedPermissions(grant)
    return world.settings.instagramCodeAnswer === 'data'
      ? { data: [{ access_token: value, user_id: userId, permissions: permissions.join(',') }] }
      : { access_token: value, user_id: Number(userId), permissions }
  },
  refusal: (what) =>
    what === 'code' ? new GraphError('instagram_code') : new GraphError('instagram_oauth', { what: REFUSALS[what] }),
  me: ({ id, name }) => ({ id, user_id: id, username: username(name), name, account_type: 'BUSINESS' }),
}

export function username(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '_')
}
