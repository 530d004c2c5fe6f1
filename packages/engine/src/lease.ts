import type { EngineDeps } from './deps.ts'
import type { Flight } from './flight.ts'
import { renew } from './writes/attempt-writes.ts'

/** Renews the attempt's lease until stopped. A renewal that fails changes nothing: the lease decides only who may call. */
export function keepLease(deps: EngineDeps, flight: Flight): { stop(): void } {
  const stopped = new AbortController()
  const { id } = flight.account
  void (async () => {
    for (;;) {
      await deps.clock.sleep(deps.times.renewMs, stopped.signal)
      if (stopped.signal.aborted) return
      await deps.store.accounts
        .write(renew(id, flight.attempt.id, deps.clock.now() + deps.times.leaseMs))
        .catch(() => {})
    }
  })()
  return { stop: () => stopped.abort('the attempt is over') }
}
