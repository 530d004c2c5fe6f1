import { DAY, HOUR } from '@tokenkeeper/core'
import type { Run, Schedule } from '@tokenkeeper/store'
import { reconcileSchedules } from '../src/schedules/reconcile.ts'
import { type Harness, type HarnessOptions, startHarness } from './harness.ts'

/** Two o'clock, some days ahead of the real time, so that no real tick comes between. */
export const AT_TWO = Math.floor(Date.now() / DAY) * DAY + 3 * DAY + 2 * HOUR

export const unfinished = ({ store }: Harness): Promise<Run[]> => store.runs.unfinished(100)
export const goTo = ({ clock }: Harness, time: number) => clock.advance(time - clock.now())
export const get = async ({ store }: Harness, id = 'meta-daily'): Promise<Schedule> => (await store.schedules.get(id))!
export const told = ({ lines }: Harness, text: string) => lines.filter((line) => line.includes(text)).length

/** Half an hour before `time`, known to a scheduler. */
export async function startBefore(time: number, options: HarnessOptions): Promise<Harness> {
  const harness = await startHarness(options)
  goTo(harness, time - HOUR / 2)
  await reconcileSchedules(harness.deps)
  return harness
}

export async function finish({ store, clock }: Harness): Promise<void> {
  for (const { id, cursor, totals } of await store.runs.unfinished(100))
    await store.runs.advance(id, cursor, { cursor, totals, finishedAt: clock.now() })
}
