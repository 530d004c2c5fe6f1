import { CodedError, PLATFORMS } from '@tokenkeeper/core'
import type { Run } from '@tokenkeeper/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { requireRole } from '../auth/principal.ts'
import type { ApiDeps } from '../deps.ts'
import { errorBody } from '../plugins/errors.ts'

const time = z.iso.datetime()
const count = z.int().min(0)
const counts = z.object({ total: count, refreshed: count, failed: count, skipped: count, deferred: count })
const run = z.object({
  id: z.string(),
  status: z.enum(['running', 'finished']),
  onlyPlatforms: z.array(z.enum(PLATFORMS)).nullable().describe('Of which platforms; null = of all.'),
  requestedBy: z.string(),
  startedAt: time,
  finishedAt: time.nullable(),
  totals: counts.describe('What became of the accounts so far.'),
  platforms: z.partialRecord(z.enum(PLATFORMS), counts),
})

export const runRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { store }) => {
  app.get(
    '/api/admin/runs/:id',
    {
      onRequest: async (request) => void requireRole(request, 'viewer'),
      schema: {
        summary: 'How far a refresh-all is.',
        security: [{ apiKey: [] }],
        params: z.object({ id: z.string().regex(/^[0-9a-f]{24}$/, 'must be the id of a run (24 hex digits)') }),
        response: { 200: run, 400: errorBody, 401: errorBody, 404: errorBody, 503: errorBody },
      },
    },
    async ({ params }) => {
      const found = await store.runs.get(params.id)
      if (found === null) throw new CodedError('RUN_NOT_FOUND')
      return present(found)
    },
  )
}

function present({ id, filter, requestedBy, startedAt, finishedAt, totals }: Run): z.output<typeof run> {
  const { platforms, ...sums } = totals
  return {
    id,
    status: finishedAt === null ? 'running' : 'finished',
    onlyPlatforms: filter.platforms === undefined ? null : [...filter.platforms],
    requestedBy,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: finishedAt === null ? null : new Date(finishedAt).toISOString(),
    totals: sums,
    platforms,
  }
}
