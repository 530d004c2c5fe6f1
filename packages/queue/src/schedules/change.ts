import { CodedError } from '@tokenkeeper/core'
import type { Run, Schedule } from '@tokenkeeper/store'
import type { ProducerDeps } from '../deps.ts'
import { insertRun } from '../runs/start-run.ts'
import { altered, type ScheduleChange } from './altered.ts'
import { DEFAULT_SCHEDULES, defaultSchedule, firstDefault, newSchedule, type PinnableField } from './defaults.ts'
import { filterAt } from './start-due.ts'

/** The store alone: the scheduler brings Redis into line. */
type ChangeDeps = Pick<ProducerDeps, 'store' | 'clock' | 'makeId' | 'schedules'>

const NAME = /^[a-z][a-z0-9-]{0,62}$/
/** What else in the queue, or among the runs, goes by a name. */
const TAKEN_NAMES = ['sweep', 'once', 'sandbox', 'standalone']
const TRIES = 20

/** All schedules by their names; the default ones also before a scheduler has stored them. */
export async function listSchedules({ store, clock, schedules }: Omit<ChangeDeps, 'makeId'>): Promise<Schedule[]> {
  const stored = await store.schedules.list()
  const missing = DEFAULT_SCHEDULES.filter(({ id }) => !stored.some((schedule) => schedule.id === id))
  const first = await Promise.all(missing.map((fallback) => firstDefault(store, fallback, schedules, clock.now())))
  return [...stored, ...first].toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/**
 * Changes a schedule, or makes one where a pattern is given. It fires nothing by that, and its count of runs goes on.
 * Rejects with SCHEDULE_NOT_FOUND, SCHEDULE_PINNED, or INVALID_REQUEST for a name that cannot be used.
 */
export async function changeSchedule(deps: ChangeDeps, id: string, change: ScheduleChange): Promise<Schedule> {
  const { store, clock } = deps
  for (let tries = 0; tries < TRIES; tries++) {
    const standing = await store.schedules.get(id)
    const now = clock.now()
    const schedule = standing ?? (await freshSchedule(deps, id, change, now))
    assertNotPinned(deps, schedule, change)
    const next = altered(schedule, change, now)
    if (standing === null ? await store.schedules.insert(next) : await store.schedules.update(standing, next))
      return next
  }
  throw new CodedError('INTERNAL', { internal: `schedule ${id} changed ${TRIES} times under our hands` })
}

/** Removes a schedule of one's own, and with it the count of its runs. Rejects with SCHEDULE_NOT_FOUND or INVALID_REQUEST. */
export async function removeSchedule({ store }: Pick<ChangeDeps, 'store'>, id: string): Promise<void> {
  if (defaultSchedule(id)) {
    throw new CodedError('INVALID_REQUEST', {
      publicMessage: `${id} is a default schedule, which cannot be removed: turn it off.`,
    })
  }
  for (let standing = await store.schedules.get(id); ; standing = await store.schedules.get(id)) {
    if (standing === null) throw new CodedError('SCHEDULE_NOT_FOUND')
    if (await store.schedules.remove(standing)) return
  }
}

/**
 * Starts a run of this schedule by hand, which its limit does not count, or returns the one that goes on. It is named
 * after the one before it, so that of several requests at once one makes it. The scheduler enqueues it.
 * Rejects with SCHEDULE_NOT_FOUND.
 */
export async function runSchedule(deps: ChangeDeps, scheduleId: string, requestedBy: string): Promise<Run> {
  const { store, clock, makeId } = deps
  const schedule = (await listSchedules(deps)).find((each) => each.id === scheduleId)
  if (schedule === undefined) throw new CodedError('SCHEDULE_NOT_FOUND')
  const filter = filterAt(schedule, clock.now())
  const id = makeId()
  let run = await store.runs.latest(scheduleId)
  while (run === null || run.finishedAt !== null) {
    const occurrence = `after:${run?.id ?? 'none'}`
    run = await insertRun(deps, { id, scheduleId, occurrence, filter, requestedBy })
    if (run.id === id) break
  }
  return run
}

async function freshSchedule(
  { store, schedules }: ChangeDeps,
  id: string,
  change: ScheduleChange,
  now: number,
): Promise<Schedule> {
  const fallback = defaultSchedule(id)
  if (fallback) return firstDefault(store, fallback, schedules, now)
  const { pattern, tz = schedules['meta-daily'].tz ?? 'UTC', platforms = [], runLimit = null } = change
  if (pattern === undefined) throw new CodedError('SCHEDULE_NOT_FOUND')
  if (!NAME.test(id) || TAKEN_NAMES.includes(id)) {
    throw new CodedError('INVALID_REQUEST', {
      publicMessage: `${TAKEN_NAMES.includes(id) ? 'This name is taken' : 'This is no name'}: use small letters, digits and hyphens, as in nightly-meta.`,
    })
  }
  return newSchedule({ id, pattern, tz, platforms, runLimit }, now)
}

/** By the environment of the scheduler, as it has noted it, or by this one. */
function assertNotPinned({ schedules }: ChangeDeps, { id, pinnedBy }: Schedule, change: ScheduleChange): void {
  const fallback = defaultSchedule(id)
  if (fallback === undefined) return
  const variables = Object.entries(fallback.variables) as [PinnableField, string][]
  const here = schedules[fallback.id]
  for (const [field, variable] of variables) {
    if (change[field] === undefined || !(pinnedBy.includes(variable) || here[field] !== undefined)) continue
    throw new CodedError('SCHEDULE_PINNED', {
      publicMessage: `This is set by ${variable} in the environment: change it there, or take it out there first.`,
    })
  }
}
