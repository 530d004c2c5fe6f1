import { join } from 'node:path'
import { tempDir } from '@tokenkeeper/testkit'
import { expectRefreshed, insertAccounts } from '../bed/accounts.ts'
import { openBed } from '../bed/bed.ts'
import { jobsPerSecond } from '../bed/rate.ts'
import type { Sizes } from '../sizes.ts'
import { alternate, median, ratioOf, rounded } from '../statistics.ts'
import { LATENCY_MS } from './io.ts'
import { openPlainLoop } from './plain-loop.ts'

const CONCURRENCY = 100

/** One worker beside the loop that apps write for themselves, at a provider that takes its time and at one that does not. */
export async function measureBaseline({ rounds, ioJobsPerPlace, loopJobs, overheadJobs }: Sizes) {
  const slow = { latencyMs: LATENCY_MS, jobs: CONCURRENCY * ioJobsPerPlace, loopJobs, rounds }
  const atOnce = { latencyMs: 0, jobs: overheadJobs.sqlite, loopJobs: 20 * loopJobs, rounds }
  return { ...(await compare(slow)), atOnce: await compare(atOnce) }
}

interface Comparison {
  readonly latencyMs: number
  readonly jobs: number
  readonly loopJobs: number
  readonly rounds: number
}

async function compare({ latencyMs, jobs, loopJobs, rounds }: Comparison) {
  await using dir = await tempDir()
  await using bed = await openBed({ store: 'sqlite', latencyMs })
  if (bed === null) throw new Error('SQLite is part of Node')
  const accounts = await insertAccounts(bed.context, jobs, bed.host.url)
  using loop = openPlainLoop(join(dir.path, 'users.db'), loopJobs, bed.host.url)
  await bed.startApp('worker', { WORKER_CONCURRENCY: String(CONCURRENCY) })
  const measured = await alternate(rounds, () => jobsPerSecond(bed.deps, accounts), loop.run)
  // One round more, to warm up.
  await expectRefreshed(bed.context.store, accounts, rounds + 1)
  return {
    speedup: rounded(ratioOf(measured)),
    perSecond: rounded(median(measured.ours)),
    loopPerSecond: rounded(median(measured.floor)),
  }
}
