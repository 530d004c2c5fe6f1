import { expectRefreshed, insertAccounts } from '../bed/accounts.ts'
import { type BedOptions, openBed } from '../bed/bed.ts'
import { jobsPerSecond } from '../bed/rate.ts'
import { alternate, median, ratioOf, rounded } from '../statistics.ts'

export interface RateOptions extends BedOptions {
  readonly concurrency: number
  readonly jobs: number
  readonly rounds: number
}

/** Refreshes a second of one worker beside the jobs a second of the floor's worker. Null if there is no such store. */
export async function measureRates({ concurrency, jobs, rounds, ...options }: RateOptions) {
  await using bed = await openBed(options)
  if (bed === null) return null
  const accounts = await insertAccounts(bed.context, jobs, bed.host.url)
  const env = { WORKER_CONCURRENCY: String(concurrency) }
  await bed.startApp('worker', env)
  await bed.startFloorWorker(env)
  const measured = await alternate(
    rounds,
    () => jobsPerSecond(bed.deps, accounts),
    () => jobsPerSecond(bed.floor, accounts),
  )
  // The round that warms up refreshes too.
  await expectRefreshed(bed.context.store, accounts, rounds + 1)
  return {
    ratio: rounded(ratioOf(measured)),
    perSecond: rounded(median(measured.ours)),
    floorPerSecond: rounded(median(measured.floor)),
  }
}
