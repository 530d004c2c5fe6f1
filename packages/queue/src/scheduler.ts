import { SECOND } from '@tokenkeeper/core'
import type { ProducerDeps } from './deps.ts'
import { loop } from './loop.ts'
import { reconcileSchedules } from './schedules/reconcile.ts'
import { warnIfEnding } from './schedules/start-due.ts'

const AFTER_ERROR_MS = 2 * SECOND

/** Registers the schedules, and keeps them registered whatever becomes of Redis. Rejects if it cannot do so at first. */
export async function startScheduler(deps: ProducerDeps): Promise<AsyncDisposable> {
  const { store, clock, logger, settings } = deps
  await reconcileSchedules(deps)
  for (const schedule of await store.schedules.list()) if (schedule.isOn) warnIfEnding(deps, schedule)
  const stop = new AbortController()
  const running = loop({
    name: 'reconcile',
    round: async () => {
      await clock.sleep(settings.reconcileEveryMs, stop.signal)
      if (!stop.signal.aborted) await reconcileSchedules(deps)
      return 0
    },
    afterErrorMs: AFTER_ERROR_MS,
    clock,
    logger,
    signal: stop.signal,
  })
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}
