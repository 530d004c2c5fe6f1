import type { AccountStatus } from '@tokenkeeper/core'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sweep } from '../src/sweep.ts'
import { type Harness, startHarness } from './harness.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

async function enqueued({ deps }: Harness): Promise<string[]> {
  const jobs = await deps.queues.refresh.getJobs(['waiting', 'prioritized'], 0, -1)
  return jobs.map(({ data }) => data.accountId).sort()
}

const ids = (accounts: readonly { id: string }[]) => accounts.map(({ id }) => id).sort()

test('enqueues what is due, and nothing else', async () => {
  await using harness = await startHarness({ port: redis.port })
  const due = await harness.addAccounts(3)
  await harness.addAccounts(2, { nextRefreshAt: harness.clock.now() + 60_000 })
  await harness.addAccounts(2, { platform: 'meta', providerAppId: 'switched-off' })
  await sweep(harness.deps)
  expect(await enqueued(harness)).toEqual(ids(due))
})

test.each<[AccountStatus, boolean]>([
  ['active', true],
  ['needs_action', true],
  ['quarantined', true],
  ['paused', false],
  ['needs_reconnect', false],
  ['removing', false],
])('of status %s: %s', async (status, swept) => {
  await using harness = await startHarness({ port: redis.port })
  const accounts = await harness.addAccounts(2, { status })
  await sweep(harness.deps)
  expect(await enqueued(harness)).toEqual(swept ? ids(accounts) : [])
})

test('falls due by the clock, in pages, each account once however often it sweeps', async () => {
  await using harness = await startHarness({ port: redis.port })
  const accounts = await harness.addAccounts(1_100, { nextRefreshAt: harness.clock.now() + 3_600_000 })
  expect(await sweep(harness.deps)).toBe(0)
  harness.clock.advance(3_600_001)
  expect(await sweep(harness.deps)).toBe(1_100)
  await sweep(harness.deps)
  expect(await enqueued(harness)).toEqual(ids(accounts))
})

test('stops at the allowed depth with the longest overdue enqueued, and goes on when there is room', async () => {
  await using harness = await startHarness({ port: redis.port, settings: { maxDepth: 600 } })
  const now = harness.clock.now()
  const older = await harness.addAccounts(1_000, { nextRefreshAt: now - 2_000 })
  const newer = await harness.addAccounts(200, { nextRefreshAt: now - 1_000 })
  expect(await sweep(harness.deps)).toBe(1_000)
  expect(await enqueued(harness)).toEqual(ids(older))
  expect(await sweep(harness.deps)).toBe(0)

  const set = { nextRefreshAt: now + 1e9 }
  for (const { id } of older)
    await harness.store.accounts.write({ name: 'x', accountId: id, when: {}, change: { set } })
  await harness.deps.queues.refresh.drain()
  expect(await sweep(harness.deps)).toBe(200)
  expect(await enqueued(harness)).toEqual(ids(newer))
})
