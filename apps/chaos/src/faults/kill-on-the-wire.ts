import { holdAnswers, pileUp, refreshAll } from '../load.ts'
import type { Arena } from '../world/arena.ts'
import type { Fault } from './fault.ts'
import { someWorkers } from './kill.ts'

/** The PDS has answered, the answers are on their way, and those who wait for them are killed. */
export const killOnTheWire: Fault<Arena> = {
  name: 'kill-on-the-wire',
  uses: ['workers', 'wire'],
  weight: 6,
  killsOnly: true,
  async run(arena) {
    const held = holdAnswers(arena)
    await refreshAll(arena)
    const victims = someWorkers(arena)
    await pileUp(held, victims.length * arena.options.inFlight)
    await Promise.all(victims.map(arena.fleet.kill))
    held.release()
  },
}
