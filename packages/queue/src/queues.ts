import { DAY, SECOND } from '@tokenkeeper/core'
import { Queue } from 'bullmq'
import type { RedisConnections } from './connection.ts'
import type { AccountJob, ScheduleJob } from './jobs.ts'
import type { QueueName } from './names.ts'

export interface Queues extends AsyncDisposable {
  readonly refresh: Queue<AccountJob>
  readonly refreshNow: Queue<AccountJob>
  readonly schedule: Queue<ScheduleJob>
}

/**
 * The store holds the only retry clock, so a job runs once. Finished jobs are kept to be looked at, bounded by age and
 * count; stack traces are not kept, since they tell more than the public message.
 */
export const JOB_OPTIONS = {
  attempts: 1,
  stackTraceLimit: 0,
  removeOnComplete: { age: DAY / SECOND, count: 1_000 },
  removeOnFail: { age: (7 * DAY) / SECOND, count: 5_000 },
} as const

export function openQueues(redis: RedisConnections, prefix: string): Queues {
  const open = <T>(name: QueueName): Queue<T> => {
    const queue = new Queue<T>(name, { connection: redis.producer, prefix, defaultJobOptions: JOB_OPTIONS })
    queue.on('error', redis.onError)
    return queue
  }
  const refresh = open<AccountJob>('refresh')
  const refreshNow = open<AccountJob>('refresh-now')
  const schedule = open<ScheduleJob>('schedule')
  return {
    refresh,
    refreshNow,
    schedule,
    async [Symbol.asyncDispose]() {
      await Promise.all([refresh.close(), refreshNow.close(), schedule.close()])
    },
  }
}
