import type { AppContext } from '@tokenkeeper/context'
import { MINUTE } from '@tokenkeeper/core'
import { makeDue } from './populate.ts'

/** Has the account that was refreshed longest ago fall due, each minute, so that the sweep can be watched. */
export async function keepBusy(context: AppContext, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const accounts = await context.store.accounts.list({ statusIn: ['active'], afterId: null, limit: 1_000 })
    const [next] = accounts.toSorted((a, b) => (a.lastRefreshedAt ?? 0) - (b.lastRefreshedAt ?? 0))
    if (next) await makeDue(context, next.id)
    await context.clock.sleep(MINUTE, signal)
  }
}
