import type { Clock } from '@tokenkeeper/core'
import { type DefaultSettings, type FleetInspection, listSchedules } from '@tokenkeeper/queue'
import type { Store } from '@tokenkeeper/store'
import { type ScheduleView, viewSchedule } from '../schedule-view.ts'
import { relativeTime } from '../times.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

interface Deps {
  readonly store: Store
  readonly clock: Clock
  readonly schedules: DefaultSettings
  /** null = Redis is away. */
  readonly fleet: FleetInspection | null
}

/** Each: is it known to Redis, when does it come next, was it missed, does it end soon? */
export async function checkSchedules({ store, clock, schedules, fleet }: Deps): Promise<Finding[]> {
  const now = clock.now()
  const findings: Finding[] = []
  for (const schedule of await listSchedules({ store, clock, schedules })) {
    findings.push(ofSchedule(await viewSchedule(store, schedule, now), fleet, now))
  }
  return findings
}

function ofSchedule(
  { schedule, state, nextAt, missedAt, warning: warns }: ScheduleView,
  fleet: Deps['fleet'],
  now: number,
): Finding {
  const { id } = schedule
  if (state === 'off') return ok(`${id} is off.`)
  if (missedAt !== null) return failed(`${id}: ${warns}`, 'Start a scheduler: it makes up for it within 20 s.')
  if (state === 'over') return warning(`${id}: ${warns}`, `\`schedules set ${id} --limit none\`, or a higher one.`)
  if (fleet !== null && !fleet.registered.some((each) => each.id === id)) {
    return failed(`${id} is not registered in Redis.`, 'Start a scheduler: it registers it within 20 s.')
  }
  if (warns !== null) return warning(`${id}: ${warns}`, `\`schedules set ${id} --limit none\`, or a higher one.`)
  return ok(`${id} comes ${relativeTime(nextAt, now)}.`)
}
