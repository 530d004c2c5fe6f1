import { DAY } from '@tokenkeeper/core'
import type { Schedule } from '@tokenkeeper/store'
import { CronExpressionParser } from 'cron-parser'

type Times = Pick<Schedule, 'pattern' | 'tz'>

/** The time that is to be started now: the latest since it last did so or was changed; null if there is none. */
export function dueOccurrence(schedule: Schedule, now: number): number | null {
  return latestOccurrence(schedule, startOf(schedule), now)
}

/** Since when (ms) a time has come that was not taken; null if there is none. */
export function waitingSince(schedule: Schedule, now: number): number | null {
  const first = occurrences(schedule, startOf(schedule)).next().value
  return schedule.pending ?? (first <= now ? first : null)
}

/** When it comes next (ms); null where it does not: it is off, or over. */
export function nextOccurrence(schedule: Schedule, now: number): number | null {
  if (!schedule.isOn || isOver(schedule)) return null
  const latest = dueOccurrence(schedule, now) ?? startOf(schedule)
  for (const time of occurrences(schedule, latest)) if (time > now) return time
  return null
}

function startOf({ lastOccurrence, changedAt }: Schedule): number {
  return Math.max(lastOccurrence ?? 0, changedAt)
}

/**
 * The latest of its times after `after`, up to `now` (ms). Where many were missed, only those of the last days are
 * walked through.
 */
export function latestOccurrence(times: Times, after: number, now: number): number | null {
  const lately = now - DAY
  // A day earlier than asked: the parser errs at first if it begins where a clock is being changed.
  const recent = lately - DAY > after ? lastUpTo(times, lately - DAY, now) : null
  return recent !== null && recent > lately ? recent : lastUpTo(times, after, now)
}

function lastUpTo(times: Times, after: number, now: number): number | null {
  let last: number | null = null
  for (const time of occurrences(times, after)) {
    if (time > now) break
    last = time
  }
  return last
}

/**
 * Walked forward only: backwards the parser passes over times that a change of clocks skips, names those twice that it
 * repeats, and finds no end at a midnight that does not exist.
 */
function* occurrences({ pattern, tz }: Times, after: number): Generator<number, never> {
  const cron = CronExpressionParser.parse(pattern, { tz, currentDate: new Date(after) })
  while (true) yield cron.next().getTime()
}

/** How many runs it starts yet; null = no end. */
export function runsLeft({ runLimit, startedRuns }: Pick<Schedule, 'runLimit' | 'startedRuns'>): number | null {
  return runLimit === null ? null : Math.max(0, runLimit - startedRuns)
}

export function isOver(schedule: Pick<Schedule, 'runLimit' | 'startedRuns'>): boolean {
  return runsLeft(schedule) === 0
}

/** From when on it is warned that a schedule ends: with a quarter of its runs left, or with ten if that is more. */
const FEW_RUNS = 10
const FEW_OF_ALL = 1 / 4

export function isEnding(schedule: Pick<Schedule, 'runLimit' | 'startedRuns'>): boolean {
  const left = runsLeft(schedule)
  return left !== null && left <= Math.max(FEW_RUNS, schedule.runLimit! * FEW_OF_ALL)
}
