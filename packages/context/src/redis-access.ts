import { type ProducerDeps, withinDeadline } from '@tokenkeeper/queue'
import type { AppContext } from './context.ts'

/** Answers are promised within 2 s, whatever has become of Redis. */
const DEADLINE_MS = 1_500

export interface RedisAccess {
  /** Resolves if Redis answers now. Rejects with REDIS_UNAVAILABLE or REDIS_TOO_OLD, within 1.5 s. */
  check(): Promise<void>
  /** Does a piece of work on the queues, connecting first if need be. Rejects in the same way. */
  use<T>(work: (deps: ProducerDeps) => Promise<T>): Promise<T>
}

export function createRedisAccess({ connectRedis, clock }: Pick<AppContext, 'connectRedis' | 'clock'>): RedisAccess {
  return {
    async check() {
      await withinDeadline(clock, async () => (await connectRedis()).redis.producer.ping(), DEADLINE_MS)
    },
    use: (work) => withinDeadline(clock, async () => work(await connectRedis()), DEADLINE_MS),
  }
}
