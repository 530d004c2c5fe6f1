import { SECOND } from '@tokenkeeper/core'
import { createChecker } from './check/checker.ts'
import { createFaults } from './faults.ts'
import { createJobs } from './fleet/jobs.ts'
import { createMachine, startProcess } from './fleet/machine.ts'
import type { Mutation } from './mutations/mutation.ts'
import { drawPlan } from './plan.ts'
import { createExtendModel } from './providers/extend-model.ts'
import { createGraceModel } from './providers/grace-model.ts'
import { createRandom } from './random.ts'
import { createScheduler } from './scheduler.ts'
import { createDatabase } from './store/database.ts'
import type { World } from './world.ts'

/** 1 January 2027, since some time must be. */
const START = 1_798_761_600_000
const GREATEST_SKEW_MS = 30 * SECOND

/** The world of a seed, with its workers and without accounts. Its trace goes to `lines`, if there are any. */
export function createWorld(seed: number, mutation: Mutation | null, lines: string[] | null): World {
  const random = createRandom(seed)
  const plan = drawPlan(random)
  const scheduler = createScheduler(START)
  const { now } = scheduler
  const getWorld = () => world
  const checker = createChecker(getWorld)
  const skew = () => (plan.rates.has('clock.skew') ? Math.round((random.next() * 2 - 1) * GREATEST_SKEW_MS) : 0)
  let counted = 0
  const world: World = {
    plan,
    random,
    scheduler,
    checker,
    mutation,
    faults: createFaults({ random, now, rates: plan.rates, budget: plan.budget }),
    database: createDatabase(checker.changed),
    providers: { grace: createGraceModel(now), extend: createExtendModel(now, random, plan.firstLifeMs) },
    machines: Array.from({ length: plan.machines }, (_, i) => createMachine(`m${i + 1}`, skew())),
    jobs: createJobs(getWorld),
    conditions: {
      storeAwayUntil: 0,
      cutOffUntil: 0,
      spoolFullUntil: 0,
      falseDeadUntil: 0,
      checkpointUntil: 0,
      keyIds: ['k0'],
      calm: true,
    },
    count: () => counted++,
    trace: (text) => void lines?.push(`${stamp(now() - START)} ${text()}`),
  }
  for (let i = 0; i < plan.workers; i++) startProcess(world, world.machines[i % plan.machines]!, 'worker')
  return world
}

function stamp(ms: number): string {
  return `+${(ms / SECOND).toFixed(3).padStart(10)} s`
}
