import { setTimeout as delay } from 'node:timers/promises'
import { REFRESH, refreshAll } from '../load.ts'
import type { Arena } from '../world/arena.ts'
import type { Fault } from './fault.ts'
import { someWorkers } from './kill.ts'

/** SIGKILL at any moment of a refresh of all accounts. */
export const killAtRandom: Fault<Arena> = {
  name: 'kill-at-random',
  uses: ['workers', 'wire'],
  weight: 5,
  killsOnly: true,
  async run(arena) {
    const { random, proxy, fleet } = arena
    // A host some way off, so that there is more of a refresh to be killed in.
    const slow = proxy.fault({ kind: 'delay', ms: random.int(50, 1_000), match: ({ path }) => path === REFRESH })
    await refreshAll(arena)
    const victims = someWorkers(arena)
    await delay(random.int(200, 2_000))
    await Promise.all(victims.map(fleet.kill))
    slow.release()
  },
}
