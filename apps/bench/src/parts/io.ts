import { SECOND } from '@tokenkeeper/core'
import type { Sizes } from '../sizes.ts'
import { rounded } from '../statistics.ts'
import { measureRates } from './rates.ts'

export const LATENCY_MS = 100

/** What our work costs where the provider takes its time: a worker waits most of the time, and ought to lose nothing. */
export async function measureIo(sizes: Sizes) {
  return { c100: await measureAt(100, sizes), c300: await measureAt(300, sizes) }
}

async function measureAt(concurrency: number, { rounds, ioJobsPerPlace }: Sizes) {
  const jobs = concurrency * ioJobsPerPlace
  const rates = await measureRates({ store: 'sqlite', latencyMs: LATENCY_MS, concurrency, jobs, rounds })
  if (rates === null) throw new Error('SQLite is part of Node')
  const ideal = (concurrency * SECOND) / LATENCY_MS
  return {
    ...rates,
    idealShare: rounded(rates.perSecond / ideal),
    floorIdealShare: rounded(rates.floorPerSecond / ideal),
  }
}
