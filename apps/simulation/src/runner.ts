import { HOUR } from '@tokenkeeper/core'
import { createLoops, type NextRound } from './fleet/loops.ts'
import type { World } from './world.ts'

/** More than any schedule needs that comes to rest. */
const MOST_STEPS = 100_000
/** What happens within moments of each other is not looked at one by one: that takes time (ms). */
const LOOK_EVERY_MS = 50
const NEVER = Number.POSITIVE_INFINITY

/** Lets a world go on, step by step. Stops at a violation. */
export interface Runner {
  until(time: number): Promise<void>
  /** Until nothing is left to do, which must be within `ms`. */
  untilIdle(ms: number): Promise<void>
  readonly steps: number
}

export function createRunner(world: World): Runner {
  const { scheduler, checker } = world
  const loops = createLoops(world)
  let steps = 0
  let round: NextRound | null = null
  let lookedAt = Number.NEGATIVE_INFINITY

  /** When something happens next, by itself or in a worker's loop. */
  function nextAt(): number {
    const next = scheduler.nextAt()
    if (next - lookedAt > LOOK_EVERY_MS) {
      round = loops.nextRound()
      lookedAt = scheduler.now()
    }
    return Math.min(round?.at ?? NEVER, next)
  }

  /** False if nothing is left to do before that time. */
  async function step(before: number): Promise<boolean> {
    if (checker.violations.length > 0 || nextAt() > before) return false
    if (++steps > MOST_STEPS) checker.fail('I6', 'it does not come to rest')
    if (round && round.at < scheduler.nextAt()) {
      scheduler.passTo(round.at)
      round.start()
      lookedAt = Number.NEGATIVE_INFINITY
    } else await scheduler.step()
    return true
  }

  return {
    get steps() {
      return steps
    },
    async until(time) {
      while (await step(time));
      scheduler.passTo(time)
    },
    async untilIdle(ms) {
      const deadline = scheduler.now() + ms
      while (await step(deadline));
      const isIdle = nextAt() === NEVER || checker.violations.length > 0
      if (!isIdle) checker.fail('I6', `it has not come to rest after ${ms / HOUR} h`)
    },
  }
}
