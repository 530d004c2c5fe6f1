import { hasCode } from '@tokenkeeper/core'
import { DelayedError, type Job, MetricsTime, type Worker, type WorkerOptions } from 'bullmq'
import type { WorkerDeps } from './deps.ts'
import { JobFailure, toJobFailure } from './settle-job.ts'

export function workerOptions(
  { redis, prefix, settings }: Pick<WorkerDeps, 'redis' | 'prefix' | 'settings'>,
  concurrency: number,
): WorkerOptions {
  return {
    connection: redis.worker,
    prefix,
    concurrency,
    lockDuration: settings.lockMs,
    stalledInterval: settings.stalledCheckMs,
    // A job that outlives its worker this often is given up; the sweep or the scan makes a new one.
    maxStalledCount: 3,
    // The default of 15 s would let a restarted Redis wait.
    runRetryDelay: 1_000,
    metrics: { maxDataPoints: MetricsTime.ONE_WEEK },
  }
}

type Work<Data, Result> = (job: Job<Data>, token: string | undefined) => Promise<Result>

/**
 * A processor that lets nothing internal out into Redis. It takes no abort signal, so that nothing, neither a lost lock
 * nor a cancellation, can come between a request and the write of its answer.
 */
export function processor<Data, Result>(work: Work<Data, Result>, { logger }: Pick<WorkerDeps, 'logger'>) {
  return async (job: Job<Data>, token?: string): Promise<Result> => {
    try {
      return await work(job, token)
    } catch (error) {
      if (error instanceof DelayedError) throw error
      const failure = toJobFailure(error)
      const fields = { queue: job.queueName, jobId: job.id, job: job.name, code: failure.code }
      if (error instanceof JobFailure) logger.info(fields, 'job failed')
      else if (hasCode(error, 'STORE_UNAVAILABLE') || hasCode(error, 'REDIS_UNAVAILABLE'))
        logger.warn(fields, 'job failed')
      else logger.error({ ...fields, err: error }, 'job failed')
      throw failure
    }
  }
}

/** Without a listener for `error` a worker would end its process. */
export function listen(worker: Worker, { logger, redis }: Pick<WorkerDeps, 'logger' | 'redis'>): void {
  worker.on('error', redis.onError)
  worker.on('stalled', (jobId) => logger.warn({ queue: worker.name, jobId }, 'job put back: its worker is gone'))
  worker.on('lockRenewalFailed', (jobIds) =>
    logger.warn({ queue: worker.name, jobIds }, 'job locks lost; the work goes on'),
  )
}
