import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { refreshAll } from '../load.ts'
import type { Arena } from '../world/arena.ts'
import type { Fault } from './fault.ts'

type Blow = (arena: Arena) => Promise<void>

const BLOWS: readonly Blow[] = [
  async ({ redis, random }) => {
    await redis.kill()
    await delay(random.int(0, 6_000))
    await redis.start()
  },
  async ({ redis, random }) => {
    await redis.stop()
    await delay(random.int(0, 3_000))
    await redis.start()
  },
  async ({ redis }) => {
    const client = new Redis(redis.url)
    await client.flushall()
    client.disconnect()
  },
]

/** Redis is killed, restarted or emptied in the middle of the work. */
export const redisAway: Fault<Arena> = {
  name: 'redis-away',
  uses: ['redis'],
  weight: 4,
  async run(arena) {
    const { random } = arena
    await refreshAll(arena)
    await delay(random.int(0, 1_000))
    await random.pick(BLOWS)(arena)
    await refreshAll(arena)
  },
}
