import { attemptKey } from '@tokenkeeper/core'
import type { RefreshOptions } from '@tokenkeeper/engine'
import type { Run } from '@tokenkeeper/store'
import { buildAttempt } from '@tokenkeeper/store/build-account'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WorkerDeps } from '../src/deps.ts'
import { advanceRun } from '../src/runs/advance-run.ts'
import { startRun } from '../src/runs/start-run.ts'
import { startWorkers } from '../src/worker.ts'
import { type Harness, markRefreshed, startHarness } from './harness.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const REQUEST = { scheduleId: 'by-hand', occurrence: 'one', filter: {}, requestedBy: 'a person' } as const
const NONE = { total: 0, refreshed: 0, failed: 0, skipped: 0, deferred: 0 }

function begin({ deps }: Harness, request: Partial<Run> = {}): Promise<Run> {
  return startRun(deps, { ...REQUEST, ...request })
}

async function standing({ store }: Harness, { id }: Run): Promise<Run> {
  return (await store.runs.get(id))!
}

const jobsOf = ({ deps }: Harness) => deps.queues.refresh.getJobs(['waiting', 'prioritized'], 0, -1)

test('one occurrence makes one run with one job, however often it is started', async () => {
  await using harness = await startHarness({ port: redis.port })
  const runs = await Promise.all([begin(harness), begin(harness), begin(harness)])
  expect(new Set(runs.map(({ id }) => id)).size).toBe(1)
  expect(await harness.deps.queues.schedule.getJobCountByTypes('waiting')).toBe(1)
  expect((await begin(harness, { occurrence: 'two' })).id).not.toBe(runs[0]!.id)
})

describe('a step', () => {
  test('enqueues the whole page by force, waits for it, and accounts for it at once', async () => {
    await using harness = await startHarness({ port: redis.port })
    const { deps, store, clock } = harness
    const accounts = await harness.addAccounts(3, { nextRefreshAt: clock.now() + 1e9 })
    const [a, b, c] = accounts
    const run = await begin(harness)
    expect(await advanceRun(deps, run.id)).toBe('waiting')
    expect((await jobsOf(harness)).map(({ data }) => data)).toEqual(
      expect.arrayContaining(accounts.map(({ id }) => ({ accountId: id, type: 'manual', force: true, seen: 'none' }))),
    )
    await markRefreshed(store, clock, a!.id, { force: true })
    await markRefreshed(store, clock, b!.id, { force: true }, 'failed')
    expect(await advanceRun(deps, run.id)).toBe('waiting')
    const window = accounts.map(({ id, snoozedAt }) => ({ id, attempted: attemptKey(null), snoozedAt }))
    expect(await standing(harness, run)).toMatchObject({ cursor: null, window, totals: { ...NONE, platforms: {} } })

    await markRefreshed(store, clock, c!.id, { force: true })
    expect(await advanceRun(deps, run.id)).toBe('finished')
    const totals = { ...NONE, total: 3, refreshed: 2, failed: 1 }
    expect(await standing(harness, run)).toMatchObject({
      cursor: c!.id,
      window: null,
      totals: { ...totals, platforms: { bluesky: totals } },
      finishedAt: expect.any(Number),
    })
    expect(await advanceRun(deps, run.id)).toBe('finished')
    expect((await standing(harness, run)).totals.total).toBe(3)
  })

  test('goes window by window, and two at once count nothing twice', async () => {
    await using harness = await startHarness({ port: redis.port })
    const { deps, store, clock } = harness
    const accounts = await harness.addAccounts(5)
    const run = await begin(harness)
    const steps = () => Promise.all([advanceRun(deps, run.id, 0, 2), advanceRun(deps, run.id, 0, 2)])
    for (const window of [accounts.slice(0, 2), accounts.slice(2, 4), accounts.slice(4)]) {
      expect(await steps()).toContain('waiting')
      for (const { id } of window) await markRefreshed(store, clock, id, { force: true })
      const before = await standing(harness, run)
      expect(before.window?.map(({ id }) => id)).toEqual(window.map(({ id }) => id))
      expect(await steps()).not.toContain('waiting')
      const total = before.totals.total + window.length
      const after = { cursor: window.at(-1)!.id, window: null, totals: { total, refreshed: total } }
      expect(await standing(harness, run)).toMatchObject(after)
    }
    expect(await steps()).toEqual(['finished', 'finished'])
  })

  test('counts an account once, whose last attempt ended unknown and was then recovered', async () => {
    await using harness = await startHarness({ port: redis.port })
    const { deps, store, clock } = harness
    const [account] = await harness.addAccounts(1)
    const run = await begin(harness)
    expect(await advanceRun(deps, run.id)).toBe('waiting')
    const lastAttempt = { id: 'first', outcome: 'ambiguous', generation: 1, at: clock.now() } as const
    const attempt = buildAttempt({ state: 'released', beganAt: clock.now(), notBefore: clock.now() + 1_000 })
    const release = { name: 'release', accountId: account!.id, when: {}, change: { set: { attempt, lastAttempt } } }
    await store.accounts.write(release)
    const [job] = await jobsOf(harness)
    await job!.remove()
    expect(await advanceRun(deps, run.id)).toBe('waiting')
    // It is left to the recovery, which comes before everything else.
    expect(await jobsOf(harness)).toEqual([])
    await markRefreshed(store, clock, account!.id, { force: true })
    expect(await advanceRun(deps, run.id)).toBe('finished')
    expect((await standing(harness, run)).totals).toMatchObject({ ...NONE, total: 1, refreshed: 1 })
  })

  test('of a run without accounts finishes it', async () => {
    await using harness = await startHarness({ port: redis.port })
    const run = await begin(harness)
    expect(await advanceRun(harness.deps, run.id)).toBe('finished')
    expect(await standing(harness, run)).toMatchObject({ cursor: null, finishedAt: expect.any(Number) })
  })

  test('leaves other platforms alone', async () => {
    await using harness = await startHarness({ port: redis.port })
    await harness.addAccounts(2, { platform: 'meta', providerAppId: 'app' })
    const [account] = await harness.addAccounts(1)
    const run = await begin(harness, { filter: { platforms: ['bluesky', 'threads'] } })
    await advanceRun(harness.deps, run.id)
    expect((await jobsOf(harness)).map(({ data }) => data.accountId)).toEqual([account!.id])
  })

  test('skips accounts of a platform that is switched off', async () => {
    await using harness = await startHarness({ port: redis.port })
    await harness.addAccounts(2, { platform: 'meta', providerAppId: 'app' })
    const run = await begin(harness)
    expect(await advanceRun(harness.deps, run.id)).toBe('finished')
    expect((await standing(harness, run)).totals.platforms).toEqual({ meta: { ...NONE, total: 2, skipped: 2 } })
  })

  test('enqueues what is open again every tenth look, however much others have in the queue', async () => {
    await using harness = await startHarness({ port: redis.port })
    const { deps } = harness
    const [account] = await harness.addAccounts(1)
    const run = await begin(harness)
    expect(await advanceRun(deps, run.id)).toBe('waiting')
    const [job] = await jobsOf(harness)
    await job!.remove()
    const other = { accountId: run.id, type: 'manual', force: false } as const
    await deps.queues.refresh.add('refresh-account', other)
    const enqueued = async () => (await jobsOf(harness)).map(({ data }) => data.accountId)
    for (let looks = 0; looks < 9; looks++) await advanceRun(deps, run.id, looks)
    expect(await enqueued()).toEqual([other.accountId])
    await advanceRun(deps, run.id, 9)
    expect((await enqueued()).toSorted()).toEqual([other.accountId, account!.id].toSorted())
  })

  test('waits for no account that was deleted meanwhile', async () => {
    await using harness = await startHarness({ port: redis.port })
    const { deps, store, clock } = harness
    const [kept, deleted] = await harness.addAccounts(2)
    const run = await begin(harness)
    expect(await advanceRun(deps, run.id)).toBe('waiting')
    await markRefreshed(store, clock, kept!.id)
    const removal = {
      name: 'remove',
      accountId: deleted!.id,
      when: {},
      change: { status: { active: 'removing' } },
    } as const
    await store.accounts.write(removal)
    await store.accounts.deleteRemoved(deleted!.id)
    expect(await advanceRun(deps, run.id)).toBe('finished')
    expect((await standing(harness, run)).totals).toMatchObject({ total: 1, refreshed: 1 })
  })
})

describe('with workers', () => {
  test('a run finishes by itself, whatever becomes of its accounts', async () => {
    await using harness = await startHarness({ port: redis.port })
    const { deps, store, clock, engine } = harness
    const accounts = await harness.addAccounts(30, { nextRefreshAt: clock.now() + 1e9 })
    await harness.addAccounts(2, { status: 'paused' })
    const [failing, postponed, interrupted] = accounts.map(({ id }) => id)
    engine.refresh = async (id, options) => {
      if (id === failing) return markRefreshed(store, clock, id, options, 'failed')
      if (id === postponed) return snooze(harness, id)
      // The store was away for the first one that asked.
      if (id === interrupted && engine.calls.filter(({ accountId }) => accountId === id).length === 1) {
        return { kind: 'not_begun', code: 'STORE_UNAVAILABLE' }
      }
      return markRefreshed(store, clock, id, options)
    }
    await using _workers = await startWorkers(deps)
    const run = await begin(harness)
    await expect.poll(async () => (await standing(harness, run)).finishedAt).toBeTypeOf('number')
    const totals = { total: 32, refreshed: 28, failed: 1, skipped: 2, deferred: 1 }
    expect((await standing(harness, run)).totals).toEqual({ ...totals, platforms: { bluesky: totals } })
    expect(engine.calls.filter(({ accountId }) => accountId === accounts[10]!.id)).toHaveLength(1)
  })

  test('one ten minutes ahead and one ten minutes behind: runs end, with right totals, each account refreshed once', async () => {
    await using harness = await startHarness({ port: redis.port })
    const { store } = harness
    const accounts = await harness.addAccounts(30, { nextRefreshAt: harness.clock.now() + 1e9 })
    await using _ahead = await startWorkers(onMachine(harness, 600_000))
    await using _behind = await startWorkers(onMachine(harness, -600_000))
    for (const occurrence of ['first', 'second']) {
      const run = await begin(harness, { occurrence })
      await expect.poll(async () => (await standing(harness, run)).finishedAt, { timeout: 30_000 }).toBeTypeOf('number')
      expect((await standing(harness, run)).totals).toMatchObject({ ...NONE, total: 30, refreshed: 30 })
    }
    const generations = (await store.accounts.getMany(accounts.map(({ id }) => id))).map(({ generation }) => generation)
    expect(new Set(generations)).toEqual(new Set([3]))
  })
})

/** What a worker is built from on a machine whose clock is that far ahead. */
function onMachine({ deps, store }: Harness, aheadMs: number): WorkerDeps {
  const clock = { ...deps.clock, now: () => deps.clock.now() + aheadMs }
  const engine = {
    ...deps.engine,
    refreshAccount: (id: string, options: RefreshOptions) => markRefreshed(store, clock, id, options),
  }
  return { ...deps, clock, engine }
}

async function snooze({ store, clock }: Harness, accountId: string) {
  const until = clock.now() + 60_000
  const set = { snoozedAt: clock.now(), nextRefreshAt: until }
  await store.accounts.write({ name: 'snooze', accountId, when: {}, change: { set } })
  return { kind: 'snoozed', until } as const
}
