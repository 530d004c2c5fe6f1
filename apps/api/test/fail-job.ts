import { until } from '@tokenkeeper/testkit'
import { Worker } from 'bullmq'
import type { World } from './world.ts'

/** Makes a job of this queue fail as a worker would, with this reason and stack. */
export async function failJob(
  on: World,
  queue: 'refresh' | 'refresh-now' | 'schedule',
  data: object,
  reason = 'X: failed',
) {
  const { queues, redis, prefix } = await on.connectRedis()
  const target = { refresh: queues.refresh, 'refresh-now': queues.refreshNow, schedule: queues.schedule }[queue]
  const job = await target.add('planted' as never, data as never, { stackTraceLimit: 10 })
  const worker = new Worker(
    queue,
    async (running) => {
      await running.log(`log: ${reason}`)
      throw new Error(reason)
    },
    { connection: redis.worker, prefix },
  )
  worker.on('error', () => {})
  await until(async () => (await job.getState()) === 'failed', { what: 'the job to fail' })
  await worker.close()
  return job
}
