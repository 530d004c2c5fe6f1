import { startRedis } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { enqueueRefresh } from '../src/enqueue.ts'
import { startWorkers } from '../src/worker.ts'
import { type Harness, markRefreshed, startHarness } from './harness.ts'

/** Refreshes wait until they are let go. */
function heldBack(harness: Harness) {
  const gate = Promise.withResolvers<void>()
  harness.engine.refresh = async (id, options) => {
    await gate.promise
    return markRefreshed(harness.store, harness.clock, id, options)
  }
  return gate.resolve
}

async function enqueue(harness: Harness, count: number) {
  const accounts = await harness.addAccounts(count)
  await enqueueRefresh(harness.deps.queues.refresh, accounts, { type: 'scheduled', clock: harness.clock })
  return accounts
}

test('closing takes no more jobs, lets refreshes in flight commit, and reports them to Redis', async () => {
  await using redis = await startRedis()
  await using harness = await startHarness({ port: redis.port, settings: { concurrency: 2 } })
  const letGo = heldBack(harness)
  const workers = await startWorkers(harness.deps)
  await enqueue(harness, 5)
  await expect.poll(() => harness.engine.calls).toHaveLength(2)
  let closed = false
  const closing = workers[Symbol.asyncDispose]().then(() => {
    closed = true
  })
  await harness.clock.sleep(200)
  expect(closed).toBe(false)
  letGo()
  await closing
  expect(harness.engine.calls).toHaveLength(2)
  const { refresh } = harness.deps.queues
  expect(await refresh.getJobCounts('active', 'completed', 'prioritized')).toEqual({
    active: 0,
    completed: 2,
    prioritized: 3,
  })
})

test('closing gives up a refresh that does not end', async () => {
  await using redis = await startRedis()
  await using harness = await startHarness({ port: redis.port, settings: { closeMs: 300 } })
  const letGo = heldBack(harness)
  const workers = await startWorkers(harness.deps)
  await enqueue(harness, 1)
  await expect.poll(() => harness.engine.calls).toHaveLength(1)
  await workers[Symbol.asyncDispose]()
  letGo()
})

test('closing ends though Redis is away, once the refreshes in flight are in the store', async () => {
  await using redis = await startRedis()
  await using harness = await startHarness({ port: redis.port })
  const letGo = heldBack(harness)
  const workers = await startWorkers(harness.deps)
  const [account] = await enqueue(harness, 1)
  await expect.poll(() => harness.engine.calls).toHaveLength(1)
  await redis.kill()
  const closing = workers[Symbol.asyncDispose]()
  letGo()
  await closing
  expect((await harness.store.accounts.get(account!.id))?.generation).toBe(2)
})

test('workers do not start without Redis', async () => {
  await using redis = await startRedis()
  await using harness = await startHarness({ port: redis.port })
  await redis.kill()
  await expect(startWorkers(harness.deps)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' })
})
