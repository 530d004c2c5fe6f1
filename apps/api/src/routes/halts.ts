import { ERRORS, type Halt, PLATFORMS } from '@tokenkeeper/core'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { actorOf, requireRole } from '../auth/principal.ts'
import type { ApiDeps } from '../deps.ts'
import { errorBody } from '../plugins/errors.ts'

const time = z.iso.datetime()
const platform = z.enum(PLATFORMS, `must be one of ${PLATFORMS.join(', ')}`)
const halt = z.object({
  platform,
  appId: z.string().describe('Our app there.'),
  state: z.enum(['suspected', 'halted']).describe('suspected: it may yet be the fault of single accounts.'),
  code: z.string(),
  message: z.string(),
  suspects: z.array(z.string()).describe('Ids of the accounts that met it first.'),
  since: time,
  probeAt: time.describe('From then on one request may find out whether it is over.'),
})
const halts = z.object({ halts: z.array(halt) })

export const haltRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { store, engine }) => {
  app.get(
    '/api/admin/halts',
    {
      onRequest: async (request) => void requireRole(request, 'viewer'),
      schema: {
        summary: 'Platforms that are halted, since our app there is refused or has asked too much; the oldest first.',
        security: [{ apiKey: [] }],
        response: { 200: halts, 401: errorBody, 503: errorBody },
      },
    },
    async () => ({ halts: (await store.halts.list()).map(present) }),
  )

  app.delete(
    '/api/admin/halts/:platform',
    {
      onRequest: async (request) => void requireRole(request, 'operator'),
      schema: {
        summary: 'End the halts of a platform, and tell which; the next refresh finds out whether the app is accepted.',
        security: [{ apiKey: [] }],
        params: z.object({ platform }),
        querystring: z.strictObject({ appId: z.string().optional().describe('Of this app alone.') }),
        response: { 200: halts, 400: errorBody, 401: errorBody, 403: errorBody, 404: errorBody, 503: errorBody },
      },
    },
    async (request) => {
      const principal = requireRole(request, 'operator')
      const ended = await engine.endHalts(request.params.platform, request.query.appId, actorOf(principal))
      return { halts: ended.map(present) }
    },
  )
}

function present({ platform, providerAppId, state, code, suspects, since, probeAt }: Halt): z.output<typeof halt> {
  return {
    platform,
    appId: providerAppId,
    state,
    code,
    message: ERRORS[code],
    suspects: [...suspects],
    since: new Date(since).toISOString(),
    probeAt: new Date(probeAt).toISOString(),
  }
}
