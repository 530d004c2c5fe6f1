import type { AccountStatus } from '@tokenkeeper/core'
import type { DueAccount, PagesDueAccount } from '@tokenkeeper/store'
import type { WorkerDeps } from './deps.ts'
import { depthOf } from './depth.ts'
import { enqueuePages, enqueueRefresh } from './enqueue.ts'

const PAGE = 500
/** `needs_action` is probed slowly, `quarantined` hourly; nextRefreshAt says when. */
const SWEPT: readonly AccountStatus[] = ['active', 'needs_action', 'quarantined']

type SweepDeps = Pick<WorkerDeps, 'store' | 'queues' | 'clock' | 'settings' | 'platforms'>

/**
 * Enqueues what is due, the longest overdue first, until the queue is as deep as allowed; the next sweep goes on. Accounts
 * come first, Pages that are to be fetched after them.
 * Costs what is due, not what exists. Returns how many accounts it looked at.
 */
export async function sweep(deps: SweepDeps): Promise<number> {
  let swept = 0
  for (const platform of deps.platforms) {
    let after: Pick<DueAccount, 'nextRefreshAt' | 'id'> | null = null
    while (await hasRoom(deps)) {
      const query = { platform, statusIn: SWEPT, before: deps.clock.now(), after, limit: PAGE }
      const page: DueAccount[] = await deps.store.accounts.due(query)
      await enqueueRefresh(deps.queues.refresh, page, { type: 'scheduled', clock: deps.clock })
      swept += page.length
      if (page.length < PAGE) break
      after = page.at(-1)!
    }
  }
  return swept + (await sweepPages(deps))
}

async function sweepPages(deps: SweepDeps): Promise<number> {
  const { store, queues, clock, platforms } = deps
  let swept = 0
  let after: Pick<PagesDueAccount, 'pagesDueAt' | 'id'> | null = null
  while (await hasRoom(deps)) {
    const query = { platforms, at: clock.now(), after, limit: PAGE }
    const page: PagesDueAccount[] = await store.accounts.pagesDue(query)
    await enqueuePages(queues.refresh, page, clock)
    swept += page.length
    if (page.length < PAGE) break
    after = page.at(-1)!
  }
  return swept
}

async function hasRoom({ queues, clock, settings }: SweepDeps): Promise<boolean> {
  return (await depthOf(queues.refresh, clock, ['waiting', 'prioritized', 'delayed'])) < settings.maxDepth
}
