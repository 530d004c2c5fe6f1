import { setTimeout as delay } from 'node:timers/promises'
import { holdAnswers, pileUp, refreshAll } from '../load.ts'
import type { Fault } from './fault.ts'

const TIME_OUT_MS = 30_000

/** Answers come after the worker's patience has ended, and are still read, whoever has refreshed since. */
export const slowAnswers: Fault = {
  name: 'slow-answers',
  uses: ['wire'],
  weight: 1,
  async run(world) {
    const { random, options } = world
    const held = holdAnswers(world, random.int(1, options.inFlight))
    await refreshAll(world)
    await pileUp(held, options.inFlight)
    await delay(TIME_OUT_MS + random.int(500, 3_000))
    // Those that have timed out are presented again, by others, and all are refreshed once more.
    if (random.chance(0.5)) await refreshAll(world)
    await delay(random.int(2_000, 6_000))
    held.release()
  },
}
