import { DAY } from '@tokenkeeper/core'
import type { Run, Schedule } from '@tokenkeeper/store'
import type { ProducerDeps } from '../deps.ts'
import { BY_SCHEDULE, enqueueRun, insertRun } from '../runs/start-run.ts'
import { dueOccurrence, isEnding, isOver, runsLeft } from './times.ts'

/** A run takes what falls due within this time (ms) of its begin; the sweep does the rest in its time. */
export const TAKES_DUE_WITHIN_MS = DAY

type StartDeps = Pick<ProducerDeps, 'store' | 'queues' | 'clock' | 'makeId' | 'logger'>

/**
 * Starts the run of the latest time that has come and was not taken yet, once, however many look at once and wherever one
 * of them dies: one compare-and-set takes the time, and what was taken is begun by whoever comes next. While a run of this
 * schedule goes on, nothing is taken: the time is started when that is over. Rejects with REDIS_UNAVAILABLE; the run
 * stands then all the same.
 */
export async function startDue(deps: StartDeps, schedule: Schedule): Promise<void> {
  const { store, clock, logger } = deps
  if (schedule.pending !== null) return begin(deps, schedule, schedule.pending)
  const occurrence = dueOccurrence(schedule, clock.now())
  if (occurrence === null) return
  if (isOver(schedule)) {
    if (await store.schedules.update(schedule, { ...schedule, lastOccurrence: occurrence }))
      warnIfEnding(deps, schedule)
    return
  }
  const latest = await store.runs.latest(schedule.id)
  if (latest !== null && latest.finishedAt === null) {
    logger.debug({ schedule: schedule.id, run: latest.id }, 'the last run goes on: the next one waits for it')
    return
  }
  const startedRuns = schedule.startedRuns + 1
  const taken = { ...schedule, lastOccurrence: occurrence, pending: occurrence, startedRuns }
  if (!(await store.schedules.update(schedule, taken))) return
  warnIfEnding(deps, taken)
  await begin(deps, taken, occurrence)
}

/** What a run of this schedule takes that was to begin at `at` (ms). */
export function filterAt({ platforms }: Pick<Schedule, 'platforms'>, at: number): Run['filter'] {
  return { ...(platforms.length > 0 && { platforms }), dueBefore: at + TAKES_DUE_WITHIN_MS }
}

/** Each time makes one run: it stands under the time's name, until it has long been forgotten that it was taken. */
async function begin(deps: StartDeps, schedule: Schedule, occurrence: number): Promise<void> {
  const { store, makeId, logger } = deps
  const run = await insertRun(deps, {
    id: makeId(),
    scheduleId: schedule.id,
    occurrence: new Date(occurrence).toISOString(),
    filter: filterAt(schedule, occurrence),
    requestedBy: BY_SCHEDULE,
  })
  // Somebody else may have noted it, or have changed the schedule: then the next look does it.
  const isMine = await store.schedules.update(schedule, { ...schedule, pending: null })
  if (isMine) logger.info({ schedule: schedule.id, occurrence: run.occurrence, run: run.id }, 'a scheduled run begins')
  if (run.finishedAt === null) await enqueueRun(deps, run.id)
}

export function warnIfEnding({ logger }: Pick<StartDeps, 'logger'>, schedule: Schedule): void {
  if (!isEnding(schedule)) return
  const { id, runLimit } = schedule
  const fields = { schedule: id, runLimit, runsLeft: runsLeft(schedule) }
  const what = isOver(schedule) ? 'is over: it starts no more runs' : 'ends soon'
  logger.warn(fields, `the schedule ${what}; give it a higher limit, or none`)
}
