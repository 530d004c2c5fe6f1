import type { AppContext, RedisAccess } from '@tokenkeeper/context'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'

export interface HealthDeps extends Pick<AppContext, 'store' | 'clock'> {
  readonly redis: RedisAccess
}

const STORE_DEADLINE_MS = 1_500

const part = z.enum(['ok', 'away'])
const readiness = z.object({ status: z.enum(['ready', 'not_ready']), store: part, redis: part })
const unlimited = { config: { rateLimit: false }, logLevel: 'warn' } as const

/** For whoever restarts processes and routes requests to them. */
export const healthRoutes: FastifyPluginAsyncZod<HealthDeps> = async (app, { store, clock, redis }) => {
  app.get(
    '/healthz',
    {
      ...unlimited,
      schema: { summary: 'The process is up.', response: { 200: z.object({ status: z.literal('ok') }) } },
    },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      ...unlimited,
      schema: { summary: 'Store and Redis can be used.', response: { 200: readiness, 503: readiness } },
    },
    async (_request, reply) => {
      const [storeIsUp, redisIsUp] = await Promise.all([isUp(pingStore), isUp(redis.check)])
      const ready = storeIsUp && redisIsUp
      return reply.code(ready ? 200 : 503).send({
        status: ready ? 'ready' : 'not_ready',
        store: storeIsUp ? 'ok' : 'away',
        redis: redisIsUp ? 'ok' : 'away',
      })
    },
  )

  async function pingStore(): Promise<void> {
    const done = new AbortController()
    const late = clock.sleep(STORE_DEADLINE_MS, done.signal).then(() => Promise.reject(new Error('too late')))
    await Promise.race([store.ping(), late]).finally(() => done.abort())
  }
}

function isUp(check: () => Promise<void>): Promise<boolean> {
  return check().then(
    () => true,
    () => false,
  )
}
