import { DAY } from '@tokenkeeper/core'
import { CronExpressionParser } from 'cron-parser'
import { withinDeadline } from './deadline.ts'
import type { ProducerDeps } from './deps.ts'
import { JOB_OPTIONS } from './queues.ts'
import { BY_SCHEDULE, enqueueRun, startRun } from './runs/start-run.ts'
import { NO_TOTALS } from './runs/totals.ts'
import type { Schedule } from './schedule.ts'

/** A scheduled run takes what falls due within this time of its tick; the sweep does the rest in its time. */
const TAKES_DUE_WITHIN_MS = DAY
const UNFINISHED_LIMIT = 100

/**
 * Puts schedules and unfinished runs back into Redis, should they be missing, and starts the latest occurrence that was
 * missed. Safe to repeat, by several schedulers at once. Upserts only: removing first may lose a tick.
 */
export async function reconcileSchedules(deps: ProducerDeps): Promise<void> {
  const { queues, clock, store, settings } = deps
  const upsert = (...args: Parameters<typeof queues.schedule.upsertJobScheduler>) =>
    withinDeadline(clock, () => queues.schedule.upsertJobScheduler(...args))

  await upsert('sweep', { every: settings.sweepEveryMs }, { name: 'sweep', data: {}, opts: JOB_OPTIONS })
  for (const schedule of deps.schedules) {
    const { id, pattern, tz } = schedule
    await upsert(id, { pattern, tz }, { name: 'refresh-all', data: { scheduleId: id }, opts: JOB_OPTIONS })
    await startMissed(deps, schedule)
  }
  for (const run of await store.runs.unfinished(UNFINISHED_LIMIT)) await enqueueRun(deps, run.id)
}

/** Starts the run of one occurrence, or finds it started: its time names it, so a tick that comes twice makes one run. */
export async function startOccurrence(deps: ProducerDeps, schedule: Schedule, occurrence: number): Promise<void> {
  await startRun(deps, {
    scheduleId: schedule.id,
    occurrence: new Date(occurrence).toISOString(),
    filter: { ...(schedule.platform && { platform: schedule.platform }), dueBefore: occurrence + TAKES_DUE_WITHIN_MS },
    requestedBy: BY_SCHEDULE,
  })
}

async function startMissed(deps: ProducerDeps, schedule: Schedule): Promise<void> {
  const now = deps.clock.now()
  const latest = latestOccurrence(schedule, now)
  if (latest > (await firstSeen(deps, schedule))) await startOccurrence(deps, schedule, latest)
}

/** Nothing was missed before a schedule was first seen; an empty, finished run remembers when that was. */
async function firstSeen({ store, clock, makeId }: ProducerDeps, schedule: Schedule): Promise<number> {
  const now = clock.now()
  const marker = {
    id: makeId(),
    scheduleId: schedule.id,
    occurrence: 'first-seen',
    filter: {},
    requestedBy: BY_SCHEDULE,
  }
  const times = { createdAt: now, startedAt: now, finishedAt: now }
  return (await store.runs.insert({ ...marker, ...times, cursor: null, window: null, totals: NO_TOTALS })).createdAt
}

/** The schedule's latest time at or before `now` (ms). */
export function latestOccurrence({ pattern, tz }: Pick<Schedule, 'pattern' | 'tz'>, now: number): number {
  // The parser looks strictly before, by whole seconds.
  const justAfter = (Math.floor(now / 1_000) + 1) * 1_000
  return CronExpressionParser.parse(pattern, { tz, currentDate: new Date(justAfter) })
    .prev()
    .getTime()
}
