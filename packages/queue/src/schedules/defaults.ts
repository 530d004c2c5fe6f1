import type { Platform } from '@tokenkeeper/core'
import type { Schedule, Store } from '@tokenkeeper/store'
import { altered } from './altered.ts'

/** What the environment may set of a schedule; undefined = it does not. */
export interface ScheduleSettings {
  readonly pattern: string | undefined
  readonly tz: string | undefined
  readonly runLimit: number | undefined
}

export type DefaultScheduleId = 'meta-daily' | 'bluesky-weekly'
export type DefaultSettings = Readonly<Record<DefaultScheduleId, ScheduleSettings>>
export type PinnableField = keyof ScheduleSettings

const FIELDS: readonly PinnableField[] = ['pattern', 'tz', 'runLimit']

interface DefaultSchedule {
  readonly id: DefaultScheduleId
  readonly pattern: string
  readonly tz: string
  readonly runLimit: null
  readonly platforms: readonly Platform[]
  /** By which variable each field is set. */
  readonly variables: Readonly<Record<PinnableField, string>>
}

/** The schedules that there always are. They may be changed and turned off, but not removed. */
export const DEFAULT_SCHEDULES: readonly DefaultSchedule[] = [
  {
    id: 'meta-daily',
    pattern: '0 2 * * *',
    tz: 'UTC',
    runLimit: null,
    platforms: ['meta', 'instagram', 'threads'],
    variables: { pattern: 'META_CRON', tz: 'SCHEDULE_TIMEZONE', runLimit: 'META_LIMIT' },
  },
  {
    id: 'bluesky-weekly',
    pattern: '0 0 * * 0',
    tz: 'UTC',
    runLimit: null,
    platforms: ['bluesky'],
    variables: { pattern: 'BLUESKY_CRON', tz: 'SCHEDULE_TIMEZONE', runLimit: 'BLUESKY_LIMIT' },
  },
]

export function defaultSchedule(id: string): DefaultSchedule | undefined {
  return DEFAULT_SCHEDULES.find((schedule) => schedule.id === id)
}

/** A schedule that has started nothing yet. */
export function newSchedule(
  { id, pattern, tz, platforms, runLimit }: Pick<Schedule, 'id' | 'pattern' | 'tz' | 'platforms' | 'runLimit'>,
  now: number,
): Schedule {
  const times = { startedRuns: 0, isOn: true, lastOccurrence: null, pending: null, changedAt: now, pinnedBy: [] }
  return { id, pattern, tz, platforms, runLimit, ...times }
}

/** A default schedule that nobody stored yet. It goes on after the last time that an earlier version started, if one did. */
export async function firstDefault(
  { runs }: Pick<Store, 'runs'>,
  fallback: DefaultSchedule,
  settings: DefaultSettings,
  now: number,
): Promise<Schedule> {
  const fresh = underEnvironment(fallback, newSchedule(fallback, now), settings, now)
  const occurrence = (await runs.latest(fallback.id))?.occurrence ?? ''
  const time = new Date(occurrence)
  // Runs by hand have no time.
  if (time.toJSON() !== occurrence) return fresh
  return { ...fresh, lastOccurrence: time.getTime(), changedAt: time.getTime() }
}

/**
 * A default schedule as it is to be under this environment. What a variable set is pinned; where it no longer does, the
 * default stands again, and what was changed by hand since stays.
 */
export function underEnvironment(
  fallback: DefaultSchedule,
  schedule: Schedule,
  settings: DefaultSettings,
  now: number,
): Schedule {
  const { id, variables } = fallback
  const set = settings[id]
  const isOurs = (field: PinnableField) => schedule.pinnedBy.includes(variables[field])
  const { pattern, tz, runLimit } = schedule
  const change = {
    pattern: set.pattern ?? (isOurs('pattern') ? fallback.pattern : pattern),
    tz: set.tz ?? (isOurs('tz') ? fallback.tz : tz),
    runLimit: set.runLimit ?? (isOurs('runLimit') ? fallback.runLimit : runLimit),
  }
  const pinnedBy = FIELDS.filter((field) => set[field] !== undefined).map((field) => variables[field])
  return { ...altered(schedule, change, now), pinnedBy }
}

/** The variables by which one differs from the other: in what they set, or in that they set it. */
export function changedVariables({ variables }: DefaultSchedule, from: Schedule, to: Schedule): string[] {
  const isPinned = (schedule: Schedule, field: PinnableField) => schedule.pinnedBy.includes(variables[field])
  const changed = FIELDS.filter((field) => from[field] !== to[field] || isPinned(from, field) !== isPinned(to, field))
  return changed.map((field) => variables[field])
}
