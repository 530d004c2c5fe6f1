import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { holdAnswers, pileUp, refreshAll } from '../load.ts'
import type { Arena } from '../world/arena.ts'
import type { Fault } from './fault.ts'

/** Two rounds of BullMQ's search for stalled jobs. */
const FOUND_STALLED_MS = 7_000

/** Jobs at work lose their locks, so that BullMQ gives them to others while the first are still at it. */
export const stallJobs: Fault<Arena> = {
  name: 'stall-jobs',
  uses: ['wire', 'redis'],
  weight: 2,
  async run(arena) {
    const { redis, random, options } = arena
    const held = holdAnswers(arena)
    await refreshAll(arena)
    await pileUp(held, random.int(1, options.workers * options.inFlight))
    const client = new Redis(redis.url)
    try {
      const locks = await client.keys('*:lock')
      if (locks.length > 0) await client.del(...locks)
    } finally {
      client.disconnect()
    }
    await delay(FOUND_STALLED_MS)
    held.release()
  },
}
