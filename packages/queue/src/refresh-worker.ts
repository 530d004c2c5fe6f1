import { CodedError } from '@tokenkeeper/core'
import { type Job, Worker } from 'bullmq'
import type { WorkerDeps } from './deps.ts'
import { type AccountJob, pagesJobSchema, parseJob, type RefreshJob, refreshJobSchema } from './jobs.ts'
import type { RefreshQueueName } from './names.ts'
import { type JobResult, type PagesResult, settleJob, settlePages } from './settle-job.ts'
import { processor, workerOptions } from './worker-options.ts'

type AccountResult = JobResult | PagesResult

/** Works on the jobs of one refresh queue. */
export function createRefreshWorker(name: RefreshQueueName, deps: WorkerDeps): Worker<AccountJob, AccountResult> {
  const { concurrency, urgentConcurrency } = deps.settings
  const work = processor<AccountJob, AccountResult>((job, token) => dispatch(deps, job, token), deps)
  return new Worker(name, work, workerOptions(deps, name === 'refresh' ? concurrency : urgentConcurrency))
}

async function dispatch(deps: WorkerDeps, job: Job<AccountJob>, token: string | undefined): Promise<AccountResult> {
  switch (job.name) {
    case 'refresh-account':
      return refresh(deps, job as Job<RefreshJob>, token)
    case 'fetch-pages':
      return settlePages(await deps.engine.fetchPages(parseJob(pagesJobSchema, job.data).accountId))
    default:
      throw new CodedError('JOB_INVALID')
  }
}

async function refresh(deps: WorkerDeps, job: Job<RefreshJob>, token: string | undefined): Promise<JobResult> {
  const { accountId, type, force, seen } = parseJob(refreshJobSchema, job.data)
  const outcome = await deps.engine.refreshAccount(accountId, {
    type,
    force,
    ...(force && seen !== undefined && { seen }),
    job: { id: jobIdentity(job), run: job.attemptsStarted },
    relayLater: true,
  })
  return settleJob(outcome, job, token, deps.clock)
}

/**
 * The engine lets a later run of the same job take over at once, so two jobs must never look like one. BullMQ counts
 * ids per queue and from 1 again after a FLUSHALL; queue and time of creation tell them apart.
 */
function jobIdentity(job: Job): string {
  return `${job.queueName}:${job.id}:${job.timestamp}`
}
