import { PLATFORMS } from '@tokenkeeper/core'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { requireRole } from '../auth/principal.ts'
import type { ApiDeps } from '../deps.ts'
import { errorBody } from '../plugins/errors.ts'
import { refreshAll } from '../refresh/refresh-all.ts'
import { refreshNow } from '../refresh/refresh-now.ts'

const request = z
  .strictObject(
    {
      accountId: z
        .string('must be a text')
        .regex(/^[0-9a-f]{24}$/, 'must be the id of an account (24 hex digits)')
        .optional(),
      platform: z.enum(PLATFORMS, `must be one of ${PLATFORMS.join(', ')}`).optional(),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? 'send a JSON object' : undefined) },
  )
  .refine(({ accountId, platform }) => accountId === undefined || platform === undefined, {
    error: 'give accountId or platform, not both',
  })

const accepted = z.union([
  z.object({ runId: z.string().describe('GET /api/admin/runs/:id tells how far it is.') }),
  z.object({ jobId: z.string().describe('The job in the queue refresh-now.') }),
])

export const refreshTokensRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  app.post(
    '/api/admin/refresh-tokens',
    {
      // Before the body is looked at.
      onRequest: async (request) => void requireRole(request, 'operator'),
      schema: {
        summary: 'Refresh all active accounts, those of a platform, or one account, due or not.',
        security: [{ apiKey: [] }],
        body: request,
        response: {
          202: accepted,
          400: errorBody,
          401: errorBody,
          403: errorBody,
          404: errorBody,
          409: errorBody,
          503: errorBody,
        },
      },
    },
    async (request, reply) => {
      const principal = requireRole(request, 'operator')
      const { accountId, platform } = request.body
      if (accountId !== undefined) {
        return reply.code(202).send({ jobId: await refreshNow(deps, accountId, principal) })
      }
      const run = await refreshAll(deps, platform, principal)
      return reply.code(202).header('location', `/api/admin/runs/${run.id}`).send({ runId: run.id })
    },
  )
}
