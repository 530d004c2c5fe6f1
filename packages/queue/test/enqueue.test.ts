import { makeId } from '@tokenkeeper/core'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { enqueueRefresh } from '../src/enqueue.ts'
import { createRefreshWorker } from '../src/refresh-worker.ts'
import { startHarness } from './harness.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const DAY = 86_400_000

test('an account has one job in a queue, and both callers learn its id', async () => {
  await using harness = await startHarness({ port: redis.port })
  const { queues, clock } = harness.deps
  const [a, b, c] = Array.from({ length: 3 }, () => ({ id: makeId(), diesAt: null }))
  const first = await enqueueRefresh(queues.refresh, [a!, b!], { type: 'scheduled', clock })
  const again = await enqueueRefresh(queues.refresh, [b!, c!, a!], { type: 'manual', clock })
  expect(again).toEqual([first[1], expect.any(String), first[0]])
  expect(await queues.refresh.getJobCountByTypes('waiting', 'prioritized')).toBe(3)
})

test('the two refresh queues do not block each other', async () => {
  await using harness = await startHarness({ port: redis.port })
  const { queues, clock } = harness.deps
  const account = { id: makeId(), diesAt: null }
  await enqueueRefresh(queues.refresh, [account], { type: 'scheduled', clock })
  await enqueueRefresh(queues.refreshNow, [account], { type: 'manual', clock })
  expect(await queues.refreshNow.getJobCountByTypes('waiting', 'prioritized')).toBe(1)
})

test('takes more accounts than fit one call, and tells the ids in their order', async () => {
  await using harness = await startHarness({ port: redis.port })
  const { queues, clock } = harness.deps
  const accounts = Array.from({ length: 1_203 }, () => ({ id: makeId(), diesAt: clock.now() }))
  const ids = await enqueueRefresh(queues.refresh, accounts, { type: 'scheduled', clock })
  expect(new Set(ids).size).toBe(1_203)
  const last = await queues.refresh.getJob(ids.at(-1)!)
  expect(last?.data).toEqual({ accountId: accounts.at(-1)!.id, type: 'scheduled', force: false })
})

test('recovery comes first, then the soonest death, an unknown end last', async () => {
  await using harness = await startHarness({ port: redis.port })
  const { queues, clock } = harness.deps
  const now = clock.now()
  const inDays = (days: number | null) => ({ id: makeId(), diesAt: days === null ? null : now + days * DAY })
  const [unknown, late, soon, over] = [inDays(null), inDays(60), inDays(1), inDays(-1)]
  const recovered = inDays(null)
  await enqueueRefresh(queues.refreshNow, [unknown, late, soon, over], { type: 'manual', clock })
  await enqueueRefresh(queues.refreshNow, [recovered], { type: 'scheduled', first: true, clock })

  const order: string[] = []
  harness.engine.refresh = async (accountId) => {
    order.push(accountId)
    return { kind: 'fenced' }
  }
  const worker = createRefreshWorker('refresh-now', {
    ...harness.deps,
    settings: { ...harness.deps.settings, urgentConcurrency: 1 },
  })
  await expect.poll(() => order).toHaveLength(5)
  await worker.close()
  expect(order).toEqual([recovered.id, over.id, soon.id, late.id, unknown.id])
})

test('jobs run once, are kept within bounds, and leave no stack', async () => {
  await using harness = await startHarness({ port: redis.port })
  const { queues, clock } = harness.deps
  const [id] = await enqueueRefresh(queues.refresh, [{ id: makeId(), diesAt: null }], { type: 'scheduled', clock })
  expect((await queues.refresh.getJob(id!))?.opts).toMatchObject({
    attempts: 1,
    stackTraceLimit: 0,
    removeOnComplete: { age: 86_400, count: 1_000 },
    removeOnFail: { age: 7 * 86_400, count: 5_000 },
  })
})
