import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { Redis } from 'ioredis'
import { describe, test } from 'vitest'
import { enqueueRefresh } from '../src/enqueue.ts'
import { startRun } from '../src/runs/start-run.ts'
import { startScheduler } from '../src/scheduler.ts'
import { startWorkers } from '../src/worker.ts'
import { type Harness, startHarness } from './harness.ts'

/** What the defaults promise. */
const SOON = { interval: 50 }

async function flush(redis: RedisServer): Promise<void> {
  const client = new Redis(redis.port)
  await client.flushall()
  client.disconnect()
}

async function restart(redis: RedisServer): Promise<void> {
  await redis.kill()
  await redis.start()
}

async function refreshed({ store }: Harness, ids: readonly string[]): Promise<boolean> {
  return (await store.accounts.getMany(ids)).every(({ lastAttempt }) => lastAttempt?.outcome === 'refreshed')
}

describe.concurrent.each([
  ['FLUSHALL', flush],
  ['a restart without persistence', restart],
])('after %s', (_, lose) => {
  test.concurrent('schedules and due jobs are back by themselves, at the default intervals', async ({ expect }) => {
    await using redis = await startRedis()
    await using harness = await startHarness({ port: redis.port })
    const { deps, engine, clock } = harness
    const { queues } = deps
    await using _scheduler = await startScheduler(deps)
    await using _workers = await startWorkers(deps)
    const schedulers = async () => (await queues.schedule.getJobSchedulers()).map(({ key }) => key).toSorted()
    expect(await schedulers()).toEqual(['bluesky-weekly', 'meta-daily', 'sweep'])

    // Due accounts whose jobs wait in Redis, because the queue is paused, are lost with it.
    await queues.refresh.pause()
    const accounts = await harness.addAccounts(20)
    await enqueueRefresh(queues.refresh, accounts, { type: 'scheduled', clock })
    await lose(redis)

    await expect.poll(() => schedulers().catch(() => []), SOON).toEqual(['bluesky-weekly', 'meta-daily', 'sweep'])
    const ids = accounts.map(({ id }) => id)
    await expect.poll(() => refreshed(harness, ids), SOON).toBe(true)
    expect(engine.calls.filter(({ accountId }) => ids.includes(accountId))).toHaveLength(20)
  })

  test.concurrent('a run goes on where it was', async ({ expect }) => {
    await using redis = await startRedis()
    const settings = { reconcileEveryMs: 300 }
    await using harness = await startHarness({ port: redis.port, settings })
    const { deps, clock, store } = harness
    await using _scheduler = await startScheduler(deps)
    await using _workers = await startWorkers(deps)
    await deps.queues.refresh.pause()
    await harness.addAccounts(20, { nextRefreshAt: clock.now() + 1e9 })
    const request = { scheduleId: 'by-hand', occurrence: 'one', filter: {}, requestedBy: 'a person' }
    const run = await startRun(deps, request)
    await expect.poll(() => deps.queues.refresh.getJobCountByTypes('prioritized', 'waiting')).toBe(20)
    await lose(redis)
    await expect.poll(async () => (await store.runs.get(run.id))?.finishedAt, SOON).toBeTypeOf('number')
    expect((await store.runs.get(run.id))?.totals).toMatchObject({ total: 20, refreshed: 20 })
  })
})
