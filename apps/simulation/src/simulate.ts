import { HOUR } from '@tokenkeeper/core'
import { checkAtRest } from './check/at-rest.ts'
import type { Counts, Violation } from './check/checker.ts'
import { createWorld } from './create-world.ts'
import type { Fault } from './faults.ts'
import type { Mutation } from './mutations/mutation.ts'
import { act, connect, type Person } from './people.ts'
import { heal, probe, REST_WITHIN_MS } from './rest.ts'
import { createRunner, type Runner } from './runner.ts'
import type { World } from './world.ts'

export interface ScheduleOptions {
  readonly mutation?: Mutation | null
  readonly traced?: boolean
}

export interface ScheduleResult {
  readonly seed: number
  readonly violations: readonly Violation[]
  readonly counts: Counts
  readonly struck: readonly Fault[]
  readonly steps: number
  readonly trace: readonly string[]
}

/**
 * Runs the schedule of the seed, step by step the same each time: accounts are connected, things go wrong and people act,
 * all is well again, everything comes to rest, and what is kept is tried. An error of the simulation itself is a violation
 * like any other, so that its seed is told.
 */
export async function runSchedule(
  seed: number,
  { mutation = null, traced = false }: ScheduleOptions = {},
): Promise<ScheduleResult> {
  const trace: string[] = []
  const world = createWorld(seed, mutation, traced ? trace : null)
  const run = createRunner(world)
  const { checker, faults } = world
  try {
    await play(world, run)
  } catch (error) {
    checker.fail('the simulation', String(error))
  }
  const { violations, counts } = checker
  return { seed, violations, counts, struck: faults.struck, steps: run.steps, trace }
}

async function play(world: World, run: Runner): Promise<void> {
  const { plan, faults, checker, scheduler, random, conditions } = world
  const people = plan.accounts.map((kind, i): Person => ({ kind, externalId: `did:plc:user${i}` }))

  for (const person of people) connect(world, person)
  await run.untilIdle(HOUR)

  faults.start()
  conditions.calm = false
  for (const { at, act: what } of plan.acts) scheduler.in(at, () => act(world, random.pick(people), what))
  await run.until(scheduler.now() + plan.endsAt)

  heal(world)
  await run.untilIdle(REST_WITHIN_MS)
  if (checker.violations.length === 0) checkAtRest(world)
  if (checker.violations.length === 0) await probe(world, people, run)
}
