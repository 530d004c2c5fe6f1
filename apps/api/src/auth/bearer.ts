import type { FastifyInstance } from 'fastify'
import type { ApiDeps } from '../deps.ts'

/** Finds out whose key each request of this scope brings; routes then ask for a role by `requireRole`. */
export function bearerAuth(app: FastifyInstance, { authenticator }: Pick<ApiDeps, 'authenticator'>): void {
  app.addHook('onRequest', async (request) => {
    const [, key] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? []
    if (key !== undefined) request.principal = await authenticator.byKey(key)
  })
}
