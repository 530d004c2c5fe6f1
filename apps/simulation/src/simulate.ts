import { DAY, HOUR, SECOND } from '@tokenkeeper/core'
import { checkAtRest } from './check/at-rest.ts'
import { type Counts, createChecker, type Violation } from './check/checker.ts'
import { createFaults, type Fault } from './faults.ts'
import { createJobs } from './fleet/jobs.ts'
import { createLoops, type NextRound } from './fleet/loops.ts'
import { createMachine, openPacing, startProcess } from './fleet/machine.ts'
import type { Mutation } from './mutations/mutation.ts'
import { accountOf, act, connect, type Person } from './people.ts'
import { drawPlan } from './plan.ts'
import { createExtendModel } from './providers/extend-model.ts'
import { createGraceModel } from './providers/grace-model.ts'
import { createRandom } from './random.ts'
import { createScheduler } from './scheduler.ts'
import { createDatabase } from './store/database.ts'
import type { World } from './world.ts'

/** 1 January 2027, since some time must be. */
const START = 1_798_761_600_000
/** More than any schedule needs that comes to rest. */
const MOST_STEPS = 100_000
const REST_WITHIN_MS = 20 * DAY
const LOOK_EVERY_MS = 50
const GREATEST_SKEW_MS = 30 * SECOND

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

/** Runs the schedule of the seed; the same seed gives the same schedule, step by step. */
export async function runSchedule(seed: number, options: ScheduleOptions = {}): Promise<ScheduleResult> {
  const trace: string[] = []
  const world = createWorld(seed, options, trace)
  const run = createRunner(world)
  const { plan, faults, checker, scheduler } = world
  const people = plan.accounts.map((kind, i): Person => ({ kind, externalId: `did:plc:user${i}` }))

  for (const person of people) connect(world, person)
  await run.untilIdle(HOUR)
  const begin = scheduler.now()
  faults.start()
  world.conditions.calm = false
  for (const { at, act: what } of plan.acts) {
    scheduler.in(at, () => act(world, world.random.pick(people), what))
  }
  await run.until(begin + plan.endsAt)
  heal(world)
  await run.untilIdle(REST_WITHIN_MS)
  if (checker.violations.length === 0) checkAtRest(world)
  if (checker.violations.length === 0) await probe(world, people, run)
  const { violations, counts } = checker
  return { seed, violations, counts, struck: faults.struck, steps: run.steps(), trace }
}

function createWorld(seed: number, { mutation = null, traced = false }: ScheduleOptions, trace: string[]): World {
  const random = createRandom(seed)
  const plan = drawPlan(random)
  const scheduler = createScheduler(START)
  const { now } = scheduler
  const faults = createFaults({ random, now, rates: plan.rates, budget: plan.budget })
  let counted = 0
  const getWorld = () => world
  const checker = createChecker(getWorld)
  const skew = () => (plan.rates.has('clock.skew') ? Math.round((random.next() * 2 - 1) * GREATEST_SKEW_MS) : 0)
  const world: World = {
    plan,
    random,
    scheduler,
    faults,
    checker,
    mutation,
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
    trace: traced ? (text) => void trace.push(`${stamp(now() - START)} ${text()}`) : () => {},
  }
  for (let i = 0; i < plan.workers; i++) startProcess(world, world.machines[i % plan.machines]!, 'worker')
  return world
}

/** Goes on step by step, and stops at a violation. */
function createRunner(world: World) {
  const { scheduler, checker } = world
  const loops = createLoops(world)
  let steps = 0
  let round: NextRound | null = null
  let lookedAt = Number.NEGATIVE_INFINITY

  /** False if nothing is left to do before that time. */
  async function step(before: number): Promise<boolean> {
    if (checker.violations.length > 0) return false
    if (++steps > MOST_STEPS) {
      checker.fail('I6', 'it does not come to rest')
      return false
    }
    const next = scheduler.nextAt()
    // What happens within moments of each other is not looked at one by one: that takes most of the time.
    if (next - lookedAt > LOOK_EVERY_MS) {
      round = loops.nextRound()
      lookedAt = scheduler.now()
    }
    if (Math.min(round?.at ?? Number.POSITIVE_INFINITY, next) > before) return false
    if (round && round.at < next) {
      scheduler.passTo(round.at)
      round.start()
      lookedAt = Number.NEGATIVE_INFINITY
    } else await scheduler.step()
    return true
  }

  return {
    steps: () => steps,
    async until(time: number): Promise<void> {
      while (await step(time));
      scheduler.passTo(time)
    },
    /** Until nothing is left to do, which must be within `ms`. */
    async untilIdle(ms: number): Promise<void> {
      const deadline = scheduler.now() + ms
      while (await step(deadline));
      const waits = Math.min(scheduler.nextAt(), loops.nextRound()?.at ?? Number.POSITIVE_INFINITY)
      if (waits < Number.POSITIVE_INFINITY && checker.violations.length === 0) {
        checker.fail('I6', `it has not come to rest after ${ms / HOUR} h`)
      }
    },
  }
}

type Runner = ReturnType<typeof createRunner>

/** Whatever is away comes back, but for what is lost for good. */
function heal(world: World): void {
  const { conditions, faults, machines, plan, scheduler } = world
  world.trace(() => 'all is well again')
  faults.stop()
  conditions.calm = true
  if (conditions.cutOffUntil > scheduler.now()) world.database.failOver()
  for (const key of ['storeAwayUntil', 'cutOffUntil', 'spoolFullUntil', 'falseDeadUntil', 'checkpointUntil'] as const) {
    conditions[key] = 0
  }
  for (const machine of machines) {
    machine.awayUntil = 0
    for (const process of machine.processes) {
      process.pausedUntil = Math.min(process.pausedUntil, scheduler.now())
      process.keyIds = conditions.keyIds
      process.pacing = openPacing(world, machine)
    }
    const workers = machine.processes.filter(({ kind }) => kind === 'worker').length
    for (let i = workers; i < Math.ceil(plan.workers / plan.machines); i++) startProcess(world, machine, 'worker')
  }
  world.jobs.workerIsBack()
}

/** What is kept must work: each account is refreshed once more, and those that are lost must have been beyond help. */
async function probe(world: World, people: readonly Person[], run: Runner): Promise<void> {
  const { database, checker, jobs } = world
  for (const person of people) if (accountOf(world, person)?.status === 'paused') act(world, person, 'resume')
  await run.untilIdle(REST_WITHIN_MS)
  const accounts = people.flatMap((person) => accountOf(world, person) ?? [])
  const before = new Map(accounts.map((account) => [account.id, account]))
  for (const [id, { status }] of before) {
    if (status === 'active') jobs.enqueue(id, { type: 'test', force: true })
    else if (status !== 'needs_reconnect') checker.fail('I6', `left ${status}`)
  }
  await run.untilIdle(REST_WITHIN_MS)
  for (const [id, { status, generation }] of before) {
    const after = database.majority.accounts.get(id)!
    const isRefreshed = after.generation > generation || isShorter(after.failure?.code)
    if (status === 'active' && !isRefreshed && checker.isRecoverable(id)) {
      checker.fail('I6', `at the end it is not refreshed: ${after.status} ${after.failure?.code}`)
    }
  }
}

/** A provider may go on offering tokens that end sooner; then the stored one is kept. */
function isShorter(code: string | undefined): boolean {
  return code === 'PROVIDER_SHORTER_TOKEN'
}

function stamp(ms: number): string {
  return `+${(ms / SECOND).toFixed(3).padStart(10)} s`
}
