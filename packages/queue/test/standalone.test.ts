import { makeId } from '@tokenkeeper/core'
import type { RefreshOptions } from '@tokenkeeper/engine'
import type { Run } from '@tokenkeeper/store'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertRun } from '../src/runs/start-run.ts'
import { runAlone, STANDALONE, sweepAlone } from '../src/standalone/standalone.ts'
import { startWorkers } from '../src/worker.ts'
import { type Harness, markRefreshed, startHarness } from './harness.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const NEVER = new AbortController().signal

function begin({ deps }: Harness, request: Partial<Run> = {}): Promise<Run> {
  const id = makeId()
  return insertRun(deps, { id, scheduleId: STANDALONE, occurrence: id, filter: {}, requestedBy: 'cli', ...request })
}

test('goes window by window with so many at once and no more; the soonest death of a window first', async () => {
  await using harness = await startHarness({ port: redis.port, settings: { concurrency: 3 } })
  const { deps, engine, store, clock } = harness
  const now = clock.now()
  await harness.addAccounts(1_098)
  // Of the last window.
  const urgent = ['e', 'f'].map((digit) => digit.repeat(24))
  for (const id of urgent) await harness.addAccounts(1, { id, diesAt: now + 1_000 })
  let [atWork, most] = [0, 0]
  engine.refresh = async (id: string, options: RefreshOptions) => {
    most = Math.max(most, ++atWork)
    const outcome = await markRefreshed(store, clock, id, options)
    atWork--
    return outcome
  }
  const run = await begin(harness)
  const totals = { total: 1_100, refreshed: 1_100, failed: 0, skipped: 0, deferred: 0 }
  expect(await runAlone(deps, run, NEVER)).toMatchObject({ totals, finishedAt: expect.any(Number) })
  expect(most).toBe(3)
  const last = engine.calls.slice(1_000, 1_002).map(({ accountId }) => accountId)
  expect(last.toSorted()).toEqual(urgent)
})

test('beside a fleet that adopts its run, each account is refreshed once', async () => {
  await using harness = await startHarness({ port: redis.port })
  const { deps, store } = harness
  const accounts = await harness.addAccounts(60)
  const run = await begin(harness)
  await using _workers = await startWorkers(deps)
  await deps.queues.schedule.add('run', { runId: run.id, waits: 0 })
  expect((await runAlone(deps, run, NEVER))?.totals).toMatchObject({ total: 60, refreshed: 60 })
  const generations = (await store.accounts.getMany(accounts.map(({ id }) => id))).map(({ generation }) => generation)
  expect(new Set(generations)).toEqual(new Set([2]))
})

test('what fell due of those that need somebody, Pages, and Pages without an account are swept, in pages', async () => {
  await using harness = await startHarness({ port: redis.port, settings: { concurrency: 4 } })
  const { deps, engine, clock } = harness
  const due = await harness.addAccounts(700, { status: 'needs_action' })
  const later = { nextRefreshAt: clock.now() + 3_600_000 }
  const pages = await harness.addAccounts(2, { platform: 'meta', providerAppId: 'app', pagesDueAt: 5, ...later })
  await sweepAlone({ ...deps, platforms: ['bluesky', 'meta'] }, NEVER)
  expect(new Set(engine.calls.map(({ accountId }) => accountId))).toEqual(new Set(due.map(({ id }) => id)))
  expect(engine.calls.every(({ options }) => !options.force && options.type === 'scheduled')).toBe(true)
  expect(engine.listed.toSorted()).toEqual(pages.map(({ id }) => id).toSorted())
  expect(engine.walked).toEqual([null, 'page-1', 'page-2'])
})

test('the signal ends it before the next account; the run stands', async () => {
  await using harness = await startHarness({ port: redis.port, settings: { concurrency: 1 } })
  const { deps, engine, store, clock } = harness
  await harness.addAccounts(3)
  const stop = new AbortController()
  engine.refresh = async (id: string, options: RefreshOptions) => {
    stop.abort()
    return markRefreshed(store, clock, id, options)
  }
  const run = await begin(harness)
  expect(await runAlone(deps, run, stop.signal)).toBeNull()
  await sweepAlone(deps, stop.signal)
  await engine.settle()
  expect(engine.calls).toHaveLength(1)
  expect((await store.runs.get(run.id))?.finishedAt).toBeNull()
  // The next one finishes it before its own.
  expect((await runAlone(deps, await begin(harness), NEVER))?.totals.total).toBe(3)
  expect(await store.runs.unfinished(9)).toEqual([])
})

test('a job that fails is told, and the others are done', async () => {
  await using harness = await startHarness({ port: redis.port, settings: { concurrency: 1 } })
  const { deps, engine } = harness
  const [first, second] = await harness.addAccounts(2, { status: 'needs_action' })
  engine.refresh = async (id) => {
    if (id === first!.id) throw new Error('out of order')
    return { kind: 'skipped', reason: 'not_due' }
  }
  await sweepAlone(deps, NEVER)
  expect(engine.calls.map(({ accountId }) => accountId).toSorted()).toEqual([first!.id, second!.id])
  expect(harness.lines.filter((line) => line.includes('out of order')).map((line) => JSON.parse(line))).toMatchObject([
    { job: `account-${first!.id}` },
  ])
})
