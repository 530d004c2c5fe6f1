import { SECOND } from '@tokenkeeper/core'
import type { Worker } from 'bullmq'
import { withinDeadline } from './deadline.ts'
import type { WorkerDeps } from './deps.ts'
import { runRecovery } from './recovery.ts'
import { createRefreshWorker } from './refresh-worker.ts'
import { createScheduleWorker } from './schedule-worker.ts'
import { listen } from './worker-options.ts'

/** How long closing waits for Redis to learn of finished jobs, once the refreshes themselves are done. */
const ACKNOWLEDGE_MS = 5 * SECOND

/**
 * Starts to take jobs of all queues, and the loops that finish what others left. Rejects with REDIS_UNAVAILABLE.
 * Disposing stops taking jobs, lets refreshes in flight commit, and resolves within `closeMs`.
 */
export async function startWorkers(deps: WorkerDeps): Promise<AsyncDisposable> {
  const stop = new AbortController()
  const workers: Worker[] = [
    createRefreshWorker('refresh-now', deps) as Worker,
    createRefreshWorker('refresh', deps) as Worker,
    createScheduleWorker(deps) as Worker,
  ]
  for (const worker of workers) listen(worker, deps)
  try {
    await withinDeadline(deps.clock, () => Promise.all(workers.map((worker) => worker.waitUntilReady())))
  } catch (error) {
    await closeAll(deps, workers)
    throw error
  }
  const recovery = runRecovery(deps, stop.signal)
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await closeAll(deps, workers, recovery)
    },
  }
}

/** BullMQ waits for its jobs, and for Redis without end; what counts are the refreshes in flight. */
async function closeAll(deps: WorkerDeps, workers: readonly Worker[], recovery?: Promise<void>): Promise<void> {
  const { engine, clock, settings } = deps
  const over = new AbortController()
  const closed = Promise.allSettled([recovery, ...workers.map((worker) => worker.close())])
  const settled = async () => {
    await engine.settle()
    await clock.sleep(ACKNOWLEDGE_MS, over.signal)
    // A job that was taken just before closing may have begun since.
    await engine.settle()
  }
  await Promise.race([closed, settled(), clock.sleep(settings.closeMs, over.signal)])
  over.abort()
}
