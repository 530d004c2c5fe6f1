import { DAY, HOUR, makeId } from '@tokenkeeper/core'
import { buildAccount, buildLogEntry } from '@tokenkeeper/store/conformance'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRetention, prune } from '../src/retention.ts'
import { startWorkers } from '../src/worker.ts'
import { type Harness, markRefreshed, startHarness } from './harness.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const KEEP = { log: 400 * DAY, events: 30 * DAY, runs: 90 * DAY, audit: 400 * DAY }
const NO_TOTALS = { total: 0, refreshed: 0, failed: 0, skipped: 0, deferred: 0, platforms: {} }

/** Of each kind one that is a day too old, one that is not, and a run that never ended. */
async function addAged({ store, clock }: Harness) {
  const accountId = makeId()
  const at = (keepMs: number, days: number) => clock.now() - keepMs + days * DAY
  for (const days of [-1, 1]) {
    await store.log.put([buildLogEntry({ accountId, refreshedAt: at(KEEP.log, days) })])
    await store.events.insert([
      { id: makeId(), accountId, type: 'account.revived', reason: null, at: at(KEEP.events, days) },
    ])
    await store.audit.insert([
      { id: makeId(), accountId, action: 'account.paused', actor: 'cli', detail: null, at: at(KEEP.audit, days) },
    ])
    await addRun(store, at(KEEP.runs, days))
  }
  await addRun(store, null)
}

async function addRun({ runs }: Harness['store'], finishedAt: number | null): Promise<void> {
  const times = { createdAt: 1, startedAt: 1, finishedAt }
  const rest = { filter: {}, requestedBy: 'cli', cursor: null, window: null, totals: NO_TOTALS }
  await runs.insert({ id: makeId(), scheduleId: 'manual:all', occurrence: makeId(), ...times, ...rest })
}

async function counts({ log, events, runs, audit }: Harness['store']) {
  const all = { afterId: null, limit: 99 }
  const [a, b, c, d] = await Promise.all([log.scan(all), events.scan(all), runs.scan(all), audit.scan(all)])
  return { log: a.length, events: b.length, runs: c.length, audit: d.length }
}

test('what is older than its kind is kept goes; a run that never ended stays', async () => {
  await using harness = await startHarness({ port: redis.port })
  await addAged(harness)
  expect(await counts(harness.store)).toEqual({ log: 2, events: 2, runs: 3, audit: 2 })
  expect(await prune(harness.deps)).toEqual({ pruned: 4, finished: true })
  expect(await counts(harness.store)).toEqual({ log: 1, events: 1, runs: 2, audit: 1 })
  const [left] = await harness.store.log.list({ limit: 9 })
  expect(left!.refreshedAt).toBeGreaterThan(harness.clock.now() - KEEP.log)
})

test('each kind is kept for as long as is set for it', async () => {
  await using harness = await startHarness({ port: redis.port })
  await addAged(harness)
  const settings = { ...harness.deps.settings, keepMs: { ...KEEP, events: DAY, audit: 999 * DAY } }
  await prune({ ...harness.deps, settings })
  expect(await counts(harness.store)).toEqual({ log: 1, events: 0, runs: 2, audit: 2 })
})

test('once an hour, however often it is called; after a failure at once', async () => {
  await using harness = await startHarness({ port: redis.port })
  let monotonic = 0
  let failing = true
  const clock = { ...harness.clock, monotonic: () => monotonic }
  const log: Harness['store']['log'] = {
    ...harness.store.log,
    prune: (query) => (failing ? Promise.reject(new Error('away')) : harness.store.log.prune(query)),
  }
  const pruneOld = createRetention({ ...harness.deps, clock, store: { ...harness.store, log } })
  await addAged(harness)
  await expect(pruneOld()).rejects.toThrow('away')
  failing = false
  expect(await pruneOld()).toBe(4)
  await addAged(harness)
  monotonic = HOUR - 1
  expect(await pruneOld()).toBe(0)
  monotonic = HOUR
  expect(await pruneOld()).toBe(4)
})

test('the sweep of a worker does it, after what is due', async () => {
  await using harness = await startHarness({ port: redis.port })
  await addAged(harness)
  await harness.addAccounts(3)
  await using _ = await startWorkers(harness.deps)
  const job = await harness.deps.queues.schedule.add('sweep', {})
  await expect.poll(async () => (await job.getState()) === 'completed').toBe(true)
  const done = await harness.deps.queues.schedule.getJob(job.id!)
  expect(done!.returnvalue).toEqual({ swept: 3, pruned: 4 })
})

test('of 100,000 old entries a batch at a time goes, and commits go on in between', async () => {
  await using harness = await startHarness({ port: redis.port })
  const { store, clock } = harness
  const [old, fresh] = [clock.now() - 401 * DAY, clock.now()]
  for (let i = 0; i < 100_000; i += 5_000)
    await store.log.put(Array.from({ length: 5_000 }, (_, j) => buildLogEntry({ refreshedAt: old + i + j })))
  const accountId = makeId()
  const kept = buildLogEntry({ accountId, refreshedAt: fresh })
  await store.log.put([kept])

  const account = buildAccount({ nextRefreshAt: 0 })
  await store.accounts.insert(account)
  let pruning = true
  let commits = 0
  const committing = (async () => {
    for (; pruning; commits++) await markRefreshed(store, clock, account.id, { force: true })
  })()

  const sizes: number[] = []
  const commitsBefore: number[] = []
  const log: Harness['store']['log'] = {
    ...store.log,
    async prune(query) {
      commitsBefore.push(commits)
      const count = await store.log.prune(query)
      sizes.push(count)
      return count
    },
  }
  let rounds = 0
  while (!(await prune({ ...harness.deps, store: { ...store, log } })).finished) rounds++
  pruning = false
  await committing

  expect(sizes.reduce((sum, size) => sum + size)).toBe(100_000)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(200)
  // Between any ten batches some commit was acknowledged: none waits for the whole.
  const waits = commitsBefore.slice(10).map((count, i) => count - commitsBefore[i]!)
  expect(Math.min(...waits)).toBeGreaterThan(0)
  expect((await store.accounts.get(account.id))!.generation).toBe(account.generation + commits)
  expect(rounds).toBeLessThan(50)
  expect(await store.log.list({ limit: 5 })).toStrictEqual([kept])
  expect(await store.log.list({ accountId, success: kept.success, limit: 5 })).toStrictEqual([kept])
})
