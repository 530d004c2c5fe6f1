import { setTimeout as delay } from 'node:timers/promises'
import { SECOND } from '@tokenkeeper/core'
import { enqueueRefresh, startRun } from '@tokenkeeper/queue'
import { until } from '@tokenkeeper/testkit'
import { insertAccounts, type KnownAccount } from '../bed/accounts.ts'
import { type Bed, openBed } from '../bed/bed.ts'
import type { Sizes } from '../sizes.ts'
import { median, percentile, rounded } from '../statistics.ts'

/** Between two manual refreshes, so that they meet the worker at any moment of its work. */
const PAUSE_MS = 10

/**
 * From a manual enqueue to the moment when the provider has the call: in an empty queue, and while a refresh-all drains
 * at a provider that answers at once, so that the worker has no idle moment.
 */
export async function measurePickup({ rounds, pickup }: Sizes) {
  await using bed = await openBed({ store: 'sqlite' })
  if (bed === null) throw new Error('SQLite is part of Node')
  const accounts = await insertAccounts(bed.context, pickup.accounts, bed.host.url)
  await bed.startApp('worker')
  // Ids grow: the first ones are behind the run's cursor before the others are asked for.
  const manual = accounts.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, pickup.samples)
  await drained(bed, 'warm-up', async () => {})
  const idle: number[][] = []
  const busy: number[][] = []
  for (let round = 1; round <= rounds; round++) {
    idle.push(await pickups(bed, manual))
    await drained(bed, `round ${round}`, async () => void busy.push(await pickups(bed, manual)))
  }
  return {
    ratio: rounded(median(busy.map((times, round) => median(times) / median(idle[round]!)))),
    p50Ms: rounded(median(busy.flat())),
    p99Ms: rounded(percentile(busy.flat(), 0.99)),
    idleP50Ms: rounded(median(idle.flat())),
    idleP99Ms: rounded(percentile(idle.flat(), 0.99)),
  }
}

/** Acts while a refresh-all drains. Throws if that ended before. */
async function drained({ deps }: Bed, occurrence: string, act: () => Promise<void>): Promise<void> {
  const { id } = await startRun(deps, { scheduleId: 'bench', occurrence, filter: {}, requestedBy: 'bench' })
  const run = async () => (await deps.store.runs.get(id))!
  const timeoutMs = 200 * SECOND
  await until(async () => (await run()).totals.total > 0, { what: 'the refresh-all to be under way', timeoutMs })
  await act()
  const { finishedAt } = await run()
  await until(async () => (await run()).finishedAt, { what: 'the refresh-all to end', timeoutMs })
  if (finishedAt !== null && occurrence !== 'warm-up') throw new Error('the refresh-all ended before the samples did')
}

async function pickups(bed: Bed, accounts: readonly KnownAccount[]): Promise<number[]> {
  const times: number[] = []
  for (const account of accounts) {
    times.push(await pickup(bed, account))
    await delay(PAUSE_MS * Math.random())
  }
  return times
}

async function pickup({ deps, host }: Bed, account: KnownAccount): Promise<number> {
  const { arrival } = await host.watch(account.externalId)
  const { queues, clock } = deps
  const begun = Number(process.hrtime.bigint()) / 1e6
  await enqueueRefresh(queues.refreshNow, [account], { type: 'manual', force: true, first: true, clock })
  return (await arrival) - begun
}
