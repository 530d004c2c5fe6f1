import type { Schedule } from '@tokenkeeper/store'

export type ScheduleChange = Partial<Pick<Schedule, 'pattern' | 'tz' | 'platforms' | 'runLimit' | 'isOn'>>

/**
 * The schedule changed. Other times, or to be on again, fire nothing: only what comes from `now` on is its own. A time
 * that was taken and not begun is given up then.
 */
export function altered(schedule: Schedule, change: ScheduleChange, now: number): Schedule {
  const next = { ...schedule, ...change }
  const hasOtherTimes = next.pattern !== schedule.pattern || next.tz !== schedule.tz || (next.isOn && !schedule.isOn)
  return hasOtherTimes ? { ...next, changedAt: now, pending: null } : next
}
