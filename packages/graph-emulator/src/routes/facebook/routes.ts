import type { FastifyInstance } from 'fastify'
import { accounts } from './accounts.ts'
import { debugToken } from './debug-token.ts'
import { node } from './nodes.ts'
import { accessToken, revoke } from './oauth.ts'
import { deletePermissions, listPermissions } from './permissions.ts'

interface Ids {
  Params: { id: string; permission?: string }
}

/** graph.facebook.com. Called `removed` when a user has the app removed through the API. */
export function facebookRoutes(app: FastifyInstance, removed: (appId: string, userId: string) => void): void {
  for (const method of ['GET', 'POST'] as const) {
    app.route({ method, url: '/oauth/access_token', handler: async ({ call }) => accessToken(call) })
    app.route({ method, url: '/oauth/revoke', handler: async ({ call }) => revoke(call) })
  }
  app.get('/debug_token', async ({ call }) => debugToken(call))
  app.get<Ids>('/:id', async ({ call, params }) => node(call, params.id))
  app.get<Ids>('/:id/accounts', async ({ call, params }) => accounts(call, params.id))
  app.get<Ids>('/:id/permissions', async ({ call, params }) => listPermissions(call, params.id))
  app.delete<Ids>('/:id/permissions', async ({ call, params }) =>
    deletePermissions(call, params.id, undefined, removed),
  )
  app.delete<Ids>('/:id/permissions/:permission', async ({ call, params }) =>
    deletePermissions(call, params.id, params.permission, removed),
  )
}
