import { setTimeout as delay } from 'node:timers/promises'
import { refreshAll } from '../load.ts'
import type { Arena } from '../world/arena.ts'
import type { Fault } from './fault.ts'

/** The store goes away in the middle of the work, and comes back. */
export const storeAway: Fault<Arena> = {
  name: 'store-away',
  uses: ['store'],
  weight: 2,
  async run(arena) {
    const { random, database } = arena
    const outage = random.pick(database.outages)
    await refreshAll(arena)
    await delay(random.int(0, 2_000))
    const bringBack = await outage.begin()
    await delay(random.int(500, 8_000))
    await bringBack()
  },
}
