import { beginAttempt } from './begin.ts'
import { conclude } from './conclude.ts'
import type { EngineDeps } from './deps.ts'
import { type Flight, isOfAnotherApp } from './flight.ts'
import { keepLease } from './lease.ts'
import type { RefreshOptions, RefreshOutcome } from './outcome.ts'
import { fetchPages } from './pages/fetch-pages.ts'
import { pagesOf } from './pages/page-fetch.ts'
import { prepare } from './prepare.ts'
import { present } from './present.ts'
import { appChanged, leaseLost } from './verdicts.ts'

/**
 * The path of a token: prepare (may it be refreshed now?), begin (one compare-and-set that makes the attempt ours),
 * present (the one call of the provider), conclude (commit the successor, or write what the failure means). Where the
 * account has Pages, these follow; what becomes of them changes nothing of the outcome. `track` is told of the former part
 * alone: Pages may be listed again by anyone, so that nobody waits for that at the end.
 */
export async function refreshAccount(
  deps: EngineDeps,
  accountId: string,
  options: RefreshOptions,
  track: <T>(work: Promise<T>) => Promise<T>,
): Promise<RefreshOutcome> {
  const { outcome, hasNewPages } = await track(refreshToken(deps, accountId, options))
  if (hasNewPages) await fetchPages(deps, accountId, { early: true, refreshType: options.type })
  return outcome
}

async function refreshToken(
  deps: EngineDeps,
  accountId: string,
  options: RefreshOptions,
): Promise<{ readonly outcome: RefreshOutcome; readonly hasNewPages?: boolean }> {
  const prepared = await prepare(deps, accountId, options)
  if (!prepared.ready) return { outcome: prepared.outcome }

  const begun = await beginAttempt(deps, prepared, options)
  if (!begun.ready) return { outcome: begun.outcome }
  const outcome = await fly(deps, begun.flight)
  return { outcome, hasNewPages: outcome.kind === 'refreshed' && pagesOf(prepared.provider) !== undefined }
}

/** From Begin to the attempt's last write. */
async function fly(deps: EngineDeps, flight: Flight): Promise<RefreshOutcome> {
  const lease = keepLease(deps, flight)
  try {
    // Between the look at the clock and the request nothing can be excluded; fencing makes that harmless.
    if (deps.clock.monotonic() - flight.startedAt >= deps.times.leaseMs) return await conclude(deps, flight, leaseLost)
    if (isOfAnotherApp(flight.provider, flight.account)) return await conclude(deps, flight, appChanged)
    await deps.hook('send.checked-not-sent', flight.account.id)
    const answer = await present(deps, flight, flight.credential)
    await deps.hook('reply.received', flight.account.id)
    return await conclude(deps, flight, answer)
  } finally {
    lease.stop()
  }
}
