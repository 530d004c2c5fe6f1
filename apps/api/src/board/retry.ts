import { CodedError, hasCode } from '@tokenkeeper/core'
import { type AccountJob, accountJobSchema, assertRefreshable, enqueueRefresh, parseJob } from '@tokenkeeper/queue'
import { ErrorCode, type Job } from 'bullmq'
import { audit } from '../audit.ts'
import type { Principal } from '../auth/principal.ts'
import type { ApiDeps } from '../deps.ts'
import { refreshNow } from '../refresh/refresh-now.ts'
import type { ActionParams } from './actions.ts'
import { findQueue, SCHEDULE } from './queues.ts'

const PAGE = 200
const LEFT_FAILED = new Set<ErrorCode | undefined>([ErrorCode.JobNotExist, ErrorCode.JobNotInState])

/**
 * Retries a failed job of a queue that is there. One of an account, also one that fetches its Pages, becomes a refresh
 * now, as a person asks for one by the API, which fetches Pages too, and leaves the failed ones: run again as it was,
 * BullMQ would give it back its place in the bulk.
 * Others run again. Throws JOB_INVALID or JOB_STATE, or as `refreshNow` does.
 */
export async function retryJob(deps: ApiDeps, { queueName = '', jobId = '' }: ActionParams, principal: Principal) {
  const { redis } = deps
  const job = await redis.use(async ({ queues }) => findQueue(queues, queueName)?.getJob(jobId))
  if (job === undefined) throw new CodedError('NOT_FOUND')
  const detail = `${queueName}/${jobId}`
  if (queueName === SCHEDULE) {
    await audit(deps, principal, 'job.retried', { detail })
    const retried = await redis.use(() => retryIfFailed(job))
    if (!retried) throw new CodedError('JOB_STATE', { publicMessage: 'This takes a failed job.' })
  } else {
    const { accountId } = parseJob(accountJobSchema, job.data)
    await refreshNow(deps, accountId, principal)
    await audit(deps, principal, 'job.retried', { accountId, detail })
    await redis.use(() => job.remove())
  }
  return {}
}

/**
 * Retries all failed jobs of a queue, in the same way; those whose account needs a person, or is gone, stay. What another
 * request has retried meanwhile is skipped too.
 */
export async function retryFailed(deps: ApiDeps, { queueName = '', queueStatus }: ActionParams, principal: Principal) {
  if (queueStatus !== 'failed') throw new CodedError('JOB_STATE', { publicMessage: 'This takes failed jobs.' })
  await audit(deps, principal, 'job.retried', { detail: `${queueName} (all failed jobs)` })
  const retryPage = queueName === SCHEDULE ? retryAsTheyWere : refreshTheirAccounts
  const result = { retried: 0, skipped: 0 }
  let stay = 0
  for (;;) {
    // Those that were retried are no longer among them, so that what stays comes first.
    const jobs = await deps.redis.use(async ({ queues }) =>
      findQueue(queues, queueName)!.getJobs(['failed'], stay, stay + PAGE - 1),
    )
    const page = await retryPage(deps, jobs)
    result.retried += page.retried
    result.skipped += jobs.length - page.retried
    stay += page.stay
    if (jobs.length < PAGE) return result
  }
}

/** How many were retried, and how many are failed as before. */
interface PageResult {
  readonly retried: number
  readonly stay: number
}

async function retryAsTheyWere({ redis }: ApiDeps, jobs: readonly Job[]): Promise<PageResult> {
  const results = await redis.use(() => Promise.all(jobs.map(retryIfFailed)))
  return { retried: results.filter(Boolean).length, stay: 0 }
}

/** False if it is failed no longer, or gone. */
async function retryIfFailed(job: Job): Promise<boolean> {
  try {
    await job.retry('failed')
    return true
  } catch (error) {
    if (LEFT_FAILED.has((error as { readonly code?: ErrorCode }).code)) return false
    throw error
  }
}

async function refreshTheirAccounts(deps: ApiDeps, jobs: readonly Job[]): Promise<PageResult> {
  const accountIds = jobs.map((job) => accountIdOf(job))
  const accounts = await deps.store.accounts.getMany([...new Set(accountIds.filter((id) => id !== null))])
  const refreshable = accounts.filter((account) => isRefreshable(deps, account))
  const { redis, clock } = deps
  await redis.use(({ queues }) =>
    enqueueRefresh(queues.refreshNow, refreshable, { type: 'manual', force: true, clock }),
  )
  const ids = new Set<string | null>(refreshable.map(({ id }) => id))
  const retried = jobs.filter((_, index) => ids.has(accountIds[index]!))
  await redis.use(() => Promise.all(retried.map((job) => job.remove())))
  return { retried: retried.length, stay: jobs.length - retried.length }
}

function isRefreshable(deps: ApiDeps, account: Parameters<typeof assertRefreshable>[1]): boolean {
  try {
    assertRefreshable(deps, account)
    return true
  } catch {
    return false
  }
}

function accountIdOf({ data }: Job<AccountJob>): string | null {
  try {
    return parseJob(accountJobSchema, data).accountId
  } catch (error) {
    if (hasCode(error, 'JOB_INVALID')) return null
    throw error
  }
}
