import { type Account, attemptKey, type Clock, priorityByTimeLeft, type RefreshType } from '@tokenkeeper/core'
import type { DueAccount } from '@tokenkeeper/store'
import type { Queue } from 'bullmq'
import { withinDeadline } from './deadline.ts'
import type { AccountJob } from './jobs.ts'

const PAGE = 500

export interface EnqueueOptions {
  readonly type: RefreshType
  /** Refresh even what is not due, unless that has been attempted since it was read. */
  readonly force?: boolean
  /** Before everything else in the queue, whatever time is left. */
  readonly first?: boolean
  readonly clock: Clock
}

/**
 * Adds one job an account, unless one stands in this queue already; the soonest death comes first.
 * Returns the ids of the jobs that stand, in the order of the accounts. Rejects with REDIS_UNAVAILABLE.
 */
export async function enqueueRefresh(
  queue: Queue<AccountJob>,
  accounts: readonly (Pick<DueAccount, 'id' | 'diesAt'> & Partial<Pick<Account, 'lastAttempt'>>)[],
  { clock, type, force = false, first = false }: EnqueueOptions,
): Promise<string[]> {
  const ids: string[] = []
  for (let from = 0; from < accounts.length; from += PAGE) {
    const now = clock.now()
    const page = accounts.slice(from, from + PAGE).map(({ id, diesAt, lastAttempt }) => ({
      name: 'refresh-account',
      data: {
        accountId: id,
        type,
        force,
        ...(force && lastAttempt !== undefined && { seen: attemptKey(lastAttempt) }),
      },
      opts: {
        deduplication: { id: `account-${id}` },
        // BullMQ runs jobs without a priority before all that have one.
        ...(first ? {} : { priority: priorityByTimeLeft(diesAt, now) }),
      },
    }))
    const jobs = await withinDeadline(clock, () => queue.addBulk(page))
    ids.push(...jobs.map((job) => job.id!))
  }
  return ids
}

/**
 * Adds one job an account to fetch its Pages, unless one stands in this queue already; after everything else that waits.
 * Rejects with REDIS_UNAVAILABLE.
 */
export async function enqueuePages(
  queue: Queue<AccountJob>,
  accounts: readonly Pick<DueAccount, 'id'>[],
  clock: Clock,
): Promise<void> {
  const jobs = accounts.map(({ id }) => ({
    name: 'fetch-pages',
    data: { accountId: id },
    opts: { deduplication: { id: `pages-${id}` }, priority: priorityByTimeLeft(null, clock.now()) },
  }))
  if (jobs.length > 0) await withinDeadline(clock, () => queue.addBulk(jobs))
}
