import type { Platform } from '@tokenkeeper/core'
import type { Schedule } from '@tokenkeeper/store'
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

/**
 * A default schedule as it is to be under this environment. What a variable set is pinned; where it no longer does, the
 * default stands again, and what was changed by hand since stays.
 */
export function underEnvironment(
  fallback: DefaultSchedule,
  standing: Schedule | null,
  settings: DefaultSettings,
  now: number,
): Schedule {
  const { id, variables } = fallback
  const set = settings[id]
  const schedule = standing ?? newSchedule(fallback, now)
  const isOurs = (field: PinnableField) => schedule.pinnedBy.includes(variables[field])
  const { pattern, tz, runLimit } = schedule
  const change = {
    pattern: set.pattern ?? (isOurs('pattern') ? fallback.pattern : pattern),
    tz: set.tz ?? (isOurs('tz') ? fallback.tz : tz),
    runLimit: set.runLimit ?? (isOurs('runLimit') ? fallback.runLimit : runLimit),
  }
  const fields: readonly PinnableField[] = ['pattern', 'tz', 'runLimit']
  const pinnedBy = fields.filter((field) => set[field] !== undefined).map((field) => variables[field])
  return { ...altered(schedule, change, now), pinnedBy }
}
