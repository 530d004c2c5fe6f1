import type { AccountStatus } from '@tokenkeeper/core'
import type { DueAccount, PagesDueAccount } from '@tokenkeeper/store'
import type { WorkerDeps } from './deps.ts'
import { depthOf } from './depth.ts'
import { enqueuePages, enqueueRefresh } from './enqueue.ts'

const PAGE = 500
/** `needs_action` is probed slowly, `quarantined` hourly; nextRefreshAt says when. */
const SWEPT: readonly AccountStatus[] = ['active', 'needs_action', 'quarantined']

/** Where what is due goes: the queue of the fleet, or this very process. */
export interface DueJobs {
  /** Whether more may be added now. */
  hasRoom(): Promise<boolean>
  refresh(accounts: readonly DueAccount[]): Promise<void>
  fetchPages(accounts: readonly PagesDueAccount[]): Promise<void>
}

type SweepDeps = Pick<WorkerDeps, 'store' | 'queues' | 'clock' | 'settings' | 'platforms'>

/** Enqueues what is due, until the queue is as deep as allowed; the next sweep goes on. See {@link sweepInto}. */
export function sweep(deps: SweepDeps): Promise<number> {
  return sweepInto(queueJobs(deps), deps)
}

/**
 * Adds what is due, the longest overdue first, as long as there is room. Accounts come first, Pages that are to be
 * fetched after them. Costs what is due, not what exists. Returns how many accounts it looked at.
 */
export async function sweepInto(
  jobs: DueJobs,
  { store, clock, platforms }: Pick<SweepDeps, 'store' | 'clock' | 'platforms'>,
): Promise<number> {
  let swept = 0
  for (const platform of platforms) {
    let after: Pick<DueAccount, 'nextRefreshAt' | 'id'> | null = null
    while (await jobs.hasRoom()) {
      const query = { platform, statusIn: SWEPT, before: clock.now(), after, limit: PAGE }
      const page: DueAccount[] = await store.accounts.due(query)
      await jobs.refresh(page)
      swept += page.length
      if (page.length < PAGE) break
      after = page.at(-1)!
    }
  }
  let after: Pick<PagesDueAccount, 'pagesDueAt' | 'id'> | null = null
  while (await jobs.hasRoom()) {
    const query = { platforms, at: clock.now(), after, limit: PAGE }
    const page: PagesDueAccount[] = await store.accounts.pagesDue(query)
    await jobs.fetchPages(page)
    swept += page.length
    if (page.length < PAGE) break
    after = page.at(-1)!
  }
  return swept
}

function queueJobs({ queues, clock, settings }: Pick<SweepDeps, 'queues' | 'clock' | 'settings'>): DueJobs {
  return {
    async hasRoom() {
      return (await depthOf(queues.refresh, clock, ['waiting', 'prioritized', 'delayed'])) < settings.maxDepth
    },
    async refresh(accounts) {
      await enqueueRefresh(queues.refresh, accounts, { type: 'scheduled', clock })
    },
    fetchPages: (accounts) => enqueuePages(queues.refresh, accounts, clock),
  }
}
