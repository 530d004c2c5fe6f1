import { SECOND } from '@tokenkeeper/core'
import { enqueueRefresh, type WorkerDeps } from '@tokenkeeper/queue'
import { until } from '@tokenkeeper/testkit'
import type { KnownAccount } from './accounts.ts'

type RateDeps = Pick<WorkerDeps, 'queues' | 'clock'>

/** Fills the queue while it is paused, and lets it run dry: jobs a second. Throws if one of them failed. */
export async function jobsPerSecond({ queues, clock }: RateDeps, accounts: readonly KnownAccount[]): Promise<number> {
  const { refresh } = queues
  await refresh.pause()
  await enqueueRefresh(refresh, accounts, { type: 'manual', force: true, clock })
  const begun = performance.now()
  await refresh.resume()
  const dry = async () => {
    const counts = await refresh.getJobCounts('waiting', 'prioritized', 'active', 'delayed')
    return Object.values(counts).every((count) => count === 0)
  }
  await until(dry, { what: 'the queue to run dry', timeoutMs: 300 * SECOND, everyMs: 5 })
  const seconds = (performance.now() - begun) / SECOND
  const failed = await refresh.getFailedCount()
  if (failed > 0) throw new Error(`${failed} jobs failed: this is no measurement`)
  return accounts.length / seconds
}
