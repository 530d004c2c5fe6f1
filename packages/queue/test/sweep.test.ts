import type { Account, AccountStatus } from '@tokenkeeper/core'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

describe('Pages', () => {
  /** A sweep where Meta is configured too. */
  const sweepMeta = ({ deps }: Harness) => sweep({ ...deps, platforms: ['bluesky', 'meta'] })
  const addMeta = (harness: Harness, count: number, overrides: Partial<Account> = {}) => {
    const [pagesDueAt, nextRefreshAt] = [harness.clock.now(), harness.clock.now() + 3_600_000]
    return harness.addAccounts(count, {
      platform: 'meta',
      providerAppId: 'app',
      pagesDueAt,
      nextRefreshAt,
      ...overrides,
    })
  }
  const jobsOf = ({ deps }: Harness) => deps.queues.refresh.getJobs(['waiting', 'prioritized'], 0, -1, true)

  test('that are due are enqueued, in pages, once however often it sweeps, by ids alone', async () => {
    await using harness = await startHarness({ port: redis.port })
    const due = await addMeta(harness, 1_100)
    await addMeta(harness, 2, { pagesDueAt: harness.clock.now() + 60_000 })
    await addMeta(harness, 2, { pagesDueAt: null })
    await addMeta(harness, 2, { status: 'needs_reconnect' })
    expect(await sweepMeta(harness)).toBe(1_100)
    await sweepMeta(harness)
    const jobs = await jobsOf(harness)
    expect(jobs.map(({ name, data }) => [name, data])).toEqual(due.map(({ id }) => ['fetch-pages', { accountId: id }]))
    harness.clock.advance(60_001)
    expect(await sweepMeta(harness)).toBe(1_102)
    expect(await jobsOf(harness)).toHaveLength(1_102)
  })

  test('of a platform that is off are left alone', async () => {
    await using harness = await startHarness({ port: redis.port })
    await addMeta(harness, 2)
    expect(await sweep(harness.deps)).toBe(0)
  })

  test('come after every account, beside a refresh of the same account', async () => {
    await using harness = await startHarness({ port: redis.port })
    const both = await addMeta(harness, 1, { nextRefreshAt: harness.clock.now() })
    await harness.addAccounts(2, { diesAt: null })
    await sweepMeta(harness)
    const jobs = await jobsOf(harness)
    expect(jobs.map(({ name }) => name)).toEqual([...Array(3).fill('refresh-account'), 'fetch-pages'])
    expect(jobs.at(-1)!.data).toEqual({ accountId: both[0]!.id })
  })

  test('wait while the queue is as deep as allowed', async () => {
    await using harness = await startHarness({ port: redis.port, settings: { maxDepth: 100 } })
    await harness.addAccounts(100)
    await addMeta(harness, 10)
    expect(await sweepMeta(harness)).toBe(100)
    await harness.deps.queues.refresh.drain()
    const set = { nextRefreshAt: harness.clock.now() + 1e9 }
    for (const { id } of await harness.store.accounts.list({ platform: 'bluesky', afterId: null, limit: 500 }))
      await harness.store.accounts.write({ name: 'x', accountId: id, when: {}, change: { set } })
    expect(await sweepMeta(harness)).toBe(10)
  })
})
