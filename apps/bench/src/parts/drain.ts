import { SECOND } from '@tokenkeeper/core'
import { startRun } from '@tokenkeeper/queue'
import { type NodeProcess, residentBytes, until } from '@tokenkeeper/testkit'
import { Redis } from 'ioredis'
import { expectRefreshed, insertAccounts } from '../bed/accounts.ts'
import { type Bed, openBed } from '../bed/bed.ts'
import type { Sizes } from '../sizes.ts'
import { rounded } from '../statistics.ts'

const MB = 2 ** 20

interface Sample {
  readonly done: number
  readonly depth: number
  readonly redisMb: number
  readonly workerMb: number
}

/** A refresh-all by one worker: what it costs in memory while it goes on. */
export async function measureDrain({ drainAccounts }: Sizes) {
  await using bed = await openBed({ store: 'sqlite' })
  if (bed === null) throw new Error('SQLite is part of Node')
  const accounts = await insertAccounts(bed.context, drainAccounts, bed.host.url)
  const worker = await bed.startApp('worker')
  await using stack = new AsyncDisposableStack()
  const redis = stack.adopt(new Redis(bed.redis.url), (client) => client.disconnect())
  const idle = await sample(bed, redis, worker, 0)
  const begun = performance.now()
  const request = { scheduleId: 'bench', occurrence: 'drain', filter: {}, requestedBy: 'bench' }
  const { id } = await startRun(bed.deps, request)
  const samples: Sample[] = []
  const look = async () => {
    const run = await bed.deps.store.runs.get(id)
    samples.push(await sample(bed, redis, worker, run!.totals.total))
    return run!.finishedAt === null ? null : run
  }
  const run = await until(look, { what: 'the refresh-all to end', timeoutMs: 900 * SECOND, everyMs: 100 })
  const seconds = (performance.now() - begun) / SECOND
  if (run.totals.refreshed !== drainAccounts) throw new Error(`refreshed ${run.totals.refreshed} of ${drainAccounts}`)
  await expectRefreshed(bed.context.store, accounts, 1)
  const peak = (field: keyof Sample, of = samples) => rounded(Math.max(...of.map((one) => one[field])))
  const half = (first: boolean) => samples.filter(({ done }) => done < drainAccounts / 2 === first)
  return {
    accounts: drainAccounts,
    seconds: rounded(seconds),
    perSecond: rounded(drainAccounts / seconds),
    queueDepthPeak: peak('depth'),
    redisPeakMb: peak('redisMb'),
    redisIdleMb: rounded(idle.redisMb),
    workerPeakMb: peak('workerMb'),
    workerIdleMb: rounded(idle.workerMb),
    // Flat: the second half needs what the first needed.
    workerGrowth: rounded(peak('workerMb', half(false)) / peak('workerMb', half(true))),
  }
}

async function sample(bed: Bed, redis: Redis, worker: NodeProcess, done: number): Promise<Sample> {
  const counts = await bed.deps.queues.refresh.getJobCounts('waiting', 'prioritized', 'active', 'delayed')
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
  return {
    done,
    depth: Object.values(counts).reduce((sum, count) => sum + count, 0),
    redisMb: used / MB,
    workerMb: (await residentBytes(worker.pid)) / MB,
  }
}
