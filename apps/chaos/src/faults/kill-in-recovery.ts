import { holdAnswers, pileUp, refreshAll } from '../load.ts'
import type { Fault } from './fault.ts'
import { killAt, someWorkers } from './kill.ts'

const STEPS = ['recovery.begin-acked', 'recovery.in-flight'] as const

/** Killed with answers on the way; whoever recovers is killed again, at another step of the recovery, twice. */
export const killInRecovery: Fault = {
  name: 'kill-in-recovery',
  uses: ['workers', 'wire'],
  weight: 3,
  steps: STEPS,
  async run(world) {
    const { fleet, options } = world
    const held = holdAnswers(world)
    await refreshAll(world)
    const victims = someWorkers(world)
    await pileUp(held, victims.length * options.inFlight)
    await Promise.all(victims.map(fleet.kill))
    held.release()
    for (const point of STEPS) {
      await fleet.complete()
      // Urgent jobs have 10 places.
      await killAt(world, fleet.workers(), { point, gather: 10 }, 25_000)
    }
  },
}
