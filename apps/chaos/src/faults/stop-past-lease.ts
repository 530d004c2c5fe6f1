import { setTimeout as delay } from 'node:timers/promises'
import { until } from '@tokenkeeper/testkit'
import { refreshAll } from '../load.ts'
import type { World } from '../world/world.ts'
import type { Fault } from './fault.ts'
import { someWorkers } from './kill.ts'
import { goOn, stopAt } from './stop.ts'

const POINTS = [
  'begin.before-write',
  'begin.acked',
  'send.checked-not-sent',
  'send.in-flight',
  'reply.received',
  'commit.before-write',
] as const
const LEASE_MS = 12_000
const PATIENCE_MS = 10_000

/** SIGSTOP until the lease is over and others have taken over, then SIGCONT. */
export const stopPastLease: Fault = {
  name: 'stop-past-lease',
  uses: ['workers'],
  weight: 3,
  steps: POINTS,
  async run(world) {
    const { random, options } = world
    // One goes on, to take over.
    const victims = someWorkers(world).slice(0, Math.max(1, options.workers - 1))
    const standingStill = stopAt(world, victims, { point: random.pick(POINTS), gather: options.inFlight })
    await refreshAll(world)
    const allStand = () => standingStill().length === victims.length
    await until(allStand, { what: 'workers to stop', timeoutMs: PATIENCE_MS }).catch(() => {})
    await delay(LEASE_MS + random.int(1_000, 8_000))
    if (random.chance(0.5)) await refreshAgain(world)
    standingStill()
    goOn(world, victims)
  },
}

/** So that what the stopped ones hold is not only old, but of an older generation. */
async function refreshAgain(world: World): Promise<void> {
  await refreshAll(world)
  await delay(world.random.int(2_000, 5_000))
}
