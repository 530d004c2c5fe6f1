import type { AppContext, RedisAccess } from '@tokenkeeper/context'
import { type Clock, CodedError, SECOND, within } from '@tokenkeeper/core'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'

export interface HealthDeps extends Pick<AppContext, 'store' | 'clock'> {
  readonly redis: RedisAccess
}

const STORE_DEADLINE_MS = 1_500
/** Asking the store is a write to disk, and whoever reaches the port may probe as often as he likes. */
const STORE_ANSWER_HOLDS_MS = SECOND

const part = z.enum(['ok', 'away'])
const readiness = z.object({ status: z.enum(['ready', 'not_ready']), store: part, redis: part })
const unlimited = { config: { rateLimit: false }, logLevel: 'warn' } as const

/** For whoever restarts processes and routes requests to them. */
export const healthRoutes: FastifyPluginAsyncZod<HealthDeps> = async (app, { store, clock, redis }) => {
  const pingStore = share(() => store.ping(), STORE_ANSWER_HOLDS_MS, clock)

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
      const [storeIsUp, redisIsUp] = await Promise.all([isUp(storeAnswers), isUp(redis.check)])
      const ready = storeIsUp && redisIsUp
      return reply.code(ready ? 200 : 503).send({
        status: ready ? 'ready' : 'not_ready',
        store: storeIsUp ? 'ok' : 'away',
        redis: redisIsUp ? 'ok' : 'away',
      })
    },
  )

  function storeAnswers(): Promise<void> {
    return within(clock, STORE_DEADLINE_MS, pingStore(), () => {
      throw new CodedError('STORE_UNAVAILABLE', { internal: `no answer within ${STORE_DEADLINE_MS} ms` })
    })
  }
}

/** One check at a time, which all who ask meanwhile share; what it came to is good for another `holdsMs`. */
function share(check: () => Promise<void>, holdsMs: number, clock: Pick<Clock, 'monotonic'>): () => Promise<void> {
  let current: Promise<void> | null = null
  let endsAt = Number.POSITIVE_INFINITY
  return () => {
    if (current === null || clock.monotonic() >= endsAt) {
      const hold = () => {
        endsAt = clock.monotonic() + holdsMs
      }
      endsAt = Number.POSITIVE_INFINITY
      current = check()
      current.then(hold, hold)
    }
    return current
  }
}

function isUp(check: () => Promise<void>): Promise<boolean> {
  return check().then(
    () => true,
    () => false,
  )
}
