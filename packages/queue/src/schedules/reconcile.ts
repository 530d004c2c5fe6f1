import { isDeepStrictEqual } from 'node:util'
import type { Schedule } from '@tokenkeeper/store'
import { withinDeadline } from '../deadline.ts'
import type { ProducerDeps } from '../deps.ts'
import { JOB_OPTIONS } from '../queues.ts'
import { enqueueRun } from '../runs/start-run.ts'
import { DEFAULT_SCHEDULES, underEnvironment } from './defaults.ts'
import { startDue } from './start-due.ts'
import { isOver } from './times.ts'

const UNFINISHED_LIMIT = 100
/** What a tick of a schedule is called; the sweep's has another name. */
const TICK = 'refresh-all'

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
  for (const { id, pattern, tz } of ticking) {
    const template = { name: TICK, data: { scheduleId: id }, opts: JOB_OPTIONS }
    await inRedis(() => queues.schedule.upsertJobScheduler(id, { pattern, tz }, template))
  }
  const wanted = new Set(ticking.map(({ id }) => id))
  for (const { key, name } of registered) {
    if (name === TICK && !wanted.has(key)) await inRedis(() => queues.schedule.removeJobScheduler(key))
  }
  for (const schedule of schedules) await startDue(deps, schedule)
  for (const run of await store.runs.unfinished(UNFINISHED_LIMIT)) await enqueueRun(deps, run.id)
}

/** The default schedules as the environment has them. Where another process was faster, the next look sees to it. */
async function putDefaults({ store, clock, schedules: settings }: ProducerDeps): Promise<void> {
  for (const fallback of DEFAULT_SCHEDULES) {
    const standing = await store.schedules.get(fallback.id)
    const wanted: Schedule = underEnvironment(fallback, standing, settings, clock.now())
    if (standing === null) await store.schedules.insert(wanted)
    else if (!isDeepStrictEqual(standing, wanted)) await store.schedules.update(standing, wanted)
  }
}
