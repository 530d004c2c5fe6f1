import { MINUTE } from '@tokenkeeper/core'
import {
  defaultSchedule,
  dueOccurrence,
  isEnding,
  isOver,
  nextOccurrence,
  runsLeft,
  waitingSince,
} from '@tokenkeeper/queue'
import type { Run, Schedule, Store } from '@tokenkeeper/store'
import type { z } from 'zod'
import type { scheduleJson } from './json/schedules.ts'
import { renderTable } from './table.ts'
import { isoTime, relativeTime } from './times.ts'

/** So long a time may be due before it counts as missed: schedulers look every 15 s. */
const MISSED_AFTER_MS = MINUTE

export interface ScheduleView {
  readonly schedule: Schedule
  readonly state: 'on' | 'off' | 'over'
  readonly nextAt: number | null
  readonly missedAt: number | null
  readonly lastRun: Run | null
  readonly warning: string | null
}

/** A schedule and what has become of it. Rejects as the store does. */
export async function viewSchedule(
  { runs }: Pick<Store, 'runs'>,
  schedule: Schedule,
  now: number,
): Promise<ScheduleView> {
  const lastRun = await runs.latest(schedule.id)
  const state = !schedule.isOn ? 'off' : isOver(schedule) ? 'over' : 'on'
  const missedAt = state === 'on' ? missed(schedule, lastRun, now) : null
  return {
    schedule,
    state,
    nextAt: nextOccurrence(schedule, now),
    missedAt,
    lastRun,
    warning: warningOf(schedule, missedAt),
  }
}

/** While a run goes on, the next one waits for it. */
function missed(schedule: Schedule, lastRun: Run | null, now: number): number | null {
  const since = waitingSince(schedule, now)
  if (since === null || lastRun?.finishedAt === null) return null
  const mayStartSince = Math.max(since, lastRun?.finishedAt ?? 0)
  return now - mayStartSince > MISSED_AFTER_MS ? (schedule.pending ?? dueOccurrence(schedule, now)) : null
}

function warningOf(schedule: Schedule, missedAt: number | null): string | null {
  if (!schedule.isOn) return null
  if (isOver(schedule)) return 'Its limit is reached: it starts no more runs.'
  if (missedAt !== null) return `Its run of ${isoTime(missedAt)} was not started: no scheduler is running.`
  return isEnding(schedule) ? `It ends after ${runsLeft(schedule)} more of ${schedule.runLimit} runs.` : null
}

/** What programs see. */
export function scheduleForPrograms(view: ScheduleView): z.output<typeof scheduleJson> {
  const { schedule, state, nextAt, missedAt, lastRun, warning } = view
  const { id, pattern, tz, platforms, runLimit, startedRuns, pinnedBy } = schedule
  return {
    id,
    cron: pattern,
    timezone: tz,
    platforms: platforms.length === 0 ? null : [...platforms],
    state,
    limit: runLimit,
    startedRuns,
    runsLeft: runsLeft(schedule),
    nextAt: isoTime(nextAt),
    missedAt: isoTime(missedAt),
    lastRun: lastRun && runForPrograms(lastRun),
    isDefault: defaultSchedule(id) !== undefined,
    pinnedBy: [...pinnedBy],
    warning,
  }
}

function runForPrograms({ id, startedAt, finishedAt, totals: { platforms: _, ...totals } }: Run) {
  const status = finishedAt === null ? ('running' as const) : ('finished' as const)
  return { id, status, startedAt: isoTime(startedAt)!, finishedAt: isoTime(finishedAt), totals }
}

export function scheduleTable(views: readonly ScheduleView[], now: number): string {
  const rows = views.map(({ schedule, state, nextAt, lastRun, warning }) => {
    const { id, pattern, tz, platforms, pinnedBy } = schedule
    const pinned = pinnedBy.length === 0 ? '' : `Set by ${pinnedBy.join(', ')}.`
    return [
      id,
      pattern,
      tz,
      platforms.join(', ') || 'all',
      state === 'on' ? relativeTime(nextAt, now) : state,
      lastRun === null ? '-' : describeRun(lastRun, now),
      [warning, pinned].filter(Boolean).join(' '),
    ]
  })
  return renderTable(['schedule', 'cron', 'time zone', 'platforms', 'next', 'last run', ''], rows)
}

function describeRun({ startedAt, finishedAt, totals }: Run, now: number): string {
  const outcome = `${totals.refreshed} refreshed, ${totals.failed} failed`
  return `${relativeTime(startedAt, now)}: ${finishedAt === null ? 'goes on, ' : ''}${outcome}`
}
