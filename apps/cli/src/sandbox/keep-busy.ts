import type { AppContext } from '@tokenkeeper/context'
import { MINUTE } from '@tokenkeeper/core'
import type { Provider } from '@tokenkeeper/providers'
import { makeDue } from './make-due.ts'

/** Has the account that was refreshed longest ago fall due, each minute, so that the sweep can be watched. */
export async function keepBusy(context: AppContext, signal: AbortSignal): Promise<void> {
  const platforms = [...context.providers.values()].filter(takesAnyToken).map(({ platform }) => platform)
  while (!signal.aborted) {
    const accounts = await context.store.accounts.list({ statusIn: ['active'], afterId: null, limit: 1_000 })
    const [next] = accounts
      .filter(({ platform }) => platforms.includes(platform))
      .toSorted((a, b) => (a.lastRefreshedAt ?? 0) - (b.lastRefreshedAt ?? 0))
    if (next) await makeDue(context, next.id)
    await context.clock.sleep(MINUTE, signal)
  }
}

/** Instagram and Threads refuse tokens that were refreshed within a day. */
function takesAnyToken(provider: Provider): boolean {
  return provider.kind === 'grace' || provider.earliestRefreshAt === undefined
}
