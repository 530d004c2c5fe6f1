import { setTimeout as delay } from 'node:timers/promises'
import { holdAnswers, pileUp, refreshAll } from '../load.ts'
import type { Fault } from './fault.ts'
import { killAt, someWorkers } from './kill.ts'

/** Where the answers are when the workers die; none: they live. */
const STEPS = ['spool.before-fsync', 'spool.after-fsync', 'relay.before-spool-erase', null] as const
/** Where the first of those dies that find the spools of the dead. */
const REPLAY_STEPS = ['replay.before-write', 'replay.applied-before-erase', null] as const

/** How long it stays away: the commits get in by themselves, or are left to the replay. */
const STAY_MS = [1_000, 3_000, 14_000] as const

/** The store goes away between answer and commit, so that answers go to the spool. */
export const storeAwayAtAnswer: Fault = {
  name: 'store-away-at-answer',
  uses: ['workers', 'wire', 'store'],
  weight: 6,
  steps: [...STEPS, ...REPLAY_STEPS].filter((step) => step !== null),
  async run(world) {
    const { random, database, options, fleet } = world
    const point = random.pick(STEPS)
    const replayPoint = random.pick(REPLAY_STEPS)
    const outage = random.pick(database.outages)
    const stayMs = random.pick(STAY_MS)
    const held = holdAnswers(world)
    await refreshAll(world)
    const victims = someWorkers(world)
    await pileUp(held, victims.length * options.inFlight)
    const bringBack = await outage.begin()
    try {
      const gather = random.int(1, options.inFlight)
      if (replayPoint) fleet.trapNewcomers([{ point: replayPoint, gather: 1, signal: 'SIGKILL' }])
      const dying = point && killAt(world, victims, { point, gather })
      held.release()
      await delay(stayMs)
      if (point !== 'relay.before-spool-erase') await dying
      await bringBack()
      await dying
    } finally {
      await bringBack()
    }
    fleet.trapNewcomers([])
  },
}
