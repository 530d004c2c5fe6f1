import type { Sizes } from '../sizes.ts'
import { measureRates } from './rates.ts'

const CONCURRENCY = 50

/** What our work costs, at a provider that answers at once. */
export async function measureOverhead({ rounds, overheadJobs }: Sizes) {
  const measure = (store: 'sqlite' | 'mongo') =>
    measureRates({ store, concurrency: CONCURRENCY, jobs: overheadJobs[store], rounds })
  return { sqlite: await measure('sqlite'), mongo: await measure('mongo') }
}
