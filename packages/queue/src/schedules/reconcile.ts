import { isDeepStrictEqual } from 'node:util'
import { CodedError } from '@tokenkeeper/core'
import type { Schedule } from '@tokenkeeper/store'
import { withinDeadline } from '../deadline.ts'
import type { ProducerDeps } from '../deps.ts'
import { JOB_OPTIONS } from '../queues.ts'
import { enqueueRun } from '../runs/start-run.ts'
import { changedVariables, DEFAULT_SCHEDULES, firstDefault, underEnvironment } from './defaults.ts'
import { startDue } from './start-due.ts'
import { isOver, waitingSince } from './times.ts'

const UNFINISHED_LIMIT = 100
/** What a tick of a schedule is called; the sweep's has another name. */
const TICK = 'refresh-all'
/** How many rounds back a time is still a schedule's own when the environment gives it other times. */
const LOOKS_BACK = 2

/**
 * Brings Redis into line with the store: schedules that are missing there, or are no more, and unfinished runs; and starts
 * what was missed. Safe to repeat, by several schedulers at once. Upserts only: removing first may lose a tick.
 */
export async function reconcileSchedules(deps: ProducerDeps): Promise<void> {
  const { queues, clock, store, settings } = deps
  const inRedis = <T>(work: () => Promise<T>) => withinDeadline(clock, work)
  // Before the store is read: what stands here and not there then was removed, not added meanwhile.
  const registered = await inRedis(() => queues.schedule.getJobSchedulers())
  await inRedis(() =>
    queues.schedule.upsertJobScheduler(
      'sweep',
      { every: settings.sweepEveryMs },
      { name: 'sweep', data: {}, opts: JOB_OPTIONS },
    ),
  )
  await putDefaults(deps)
  const schedules = (await store.schedules.list()).filter(({ isOn }) => isOn)
  const ticking = schedules.filter((schedule) => !isOver(schedule))
  await forEach(deps, ticking, ({ id, pattern, tz }) => {
    const template = { name: TICK, data: { scheduleId: id }, opts: JOB_OPTIONS }
    return inRedis(() => queues.schedule.upsertJobScheduler(id, { pattern, tz }, template))
  })
  const wanted = new Set(ticking.map(({ id }) => id))
  for (const { key, name } of registered) {
    if (name === TICK && !wanted.has(key)) await inRedis(() => queues.schedule.removeJobScheduler(key))
  }
  await forEach(deps, schedules, (schedule) => startDue(deps, schedule))
  for (const run of await store.runs.unfinished(UNFINISHED_LIMIT)) await enqueueRun(deps, run.id)
}

/** One that fails, as by a pattern that cannot be read, keeps nothing from the others; where Redis or the store does, it rejects. */
async function forEach<T extends { readonly id: string }>(
  { logger }: Pick<ProducerDeps, 'logger'>,
  schedules: readonly T[],
  work: (schedule: T) => Promise<unknown>,
): Promise<void> {
  for (const schedule of schedules) {
    try {
      await work(schedule)
    } catch (error) {
      if (error instanceof CodedError) throw error
      logger.error({ schedule: schedule.id, err: error }, 'a schedule failed; the others go on')
    }
  }
}

/** The default schedules as the environment has them. Where another process was faster, the next look sees to it. */
async function putDefaults(deps: ProducerDeps): Promise<void> {
  const { store, clock, logger, schedules: environment, settings } = deps
  await forEach(deps, DEFAULT_SCHEDULES, async (fallback) => {
    const standing = await store.schedules.get(fallback.id)
    const now = clock.now()
    if (standing === null) return store.schedules.insert(await firstDefault(store, fallback, environment, now))
    // Where schedulers differ, each gives it its own times again and again: what came since its last look is not lost.
    const since = Math.max(standing.changedAt, now - LOOKS_BACK * settings.reconcileEveryMs)
    const wanted = underEnvironment(fallback, standing, environment, since)
    if (isDeepStrictEqual(standing, wanted) || (hasOtherTimes(standing, wanted) && isWaiting(standing, now))) return
    if (!(await store.schedules.update(standing, wanted))) return
    const variables = changedVariables(fallback, standing, wanted)
    logger.warn(
      { schedule: fallback.id, variables },
      'the environment changed a schedule; if this is said again and again, schedulers have different environments',
    )
  })
}

function hasOtherTimes(one: Schedule, other: Schedule): boolean {
  return one.pattern !== other.pattern || one.tz !== other.tz
}

/** Has a time come that is to be started before the schedule is given others? None has of a pattern that cannot be read. */
function isWaiting(schedule: Schedule, now: number): boolean {
  try {
    return schedule.isOn && waitingSince(schedule, now) !== null
  } catch {
    return false
  }
}
