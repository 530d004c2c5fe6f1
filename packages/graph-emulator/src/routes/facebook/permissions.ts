import { GraphError } from '../../errors/graph-error.ts'
import { authenticate } from '../../http/authenticate.ts'
import type { Call } from '../../http/host.ts'
import { removeGrant } from '../../state/grants.ts'
import { ownUser } from './nodes.ts'

/** `GET /{user-id}/permissions` */
export function listPermissions(call: Call, id: string) {
  const { grant } = ownUser(call, authenticate(call, 'token_missing'), id)
  return { data: [...grant.permissions].map(([permission, status]) => ({ permission, status })) }
}

/** `DELETE /{user-id}/permissions`: the app is removed. `…/permissions/{name}`: that permission is given back. */
export function deletePermissions(
  call: Call,
  id: string,
  permission: string | undefined,
  removed: (appId: string, userId: string) => void,
) {
  const token = authenticate(call, 'token_missing')
  const { user, grant } = ownUser(call, token, id)
  if (permission === undefined) {
    removeGrant(call.world, token.appId, user.id)
    removed(token.appId, user.id)
  } else {
    if (!grant.permissions.has(permission)) {
      throw new GraphError('invalid_parameter', { what: `The permission ${permission} was not granted` })
    }
    grant.permissions.set(permission, 'declined')
  }
  return { success: true }
}
