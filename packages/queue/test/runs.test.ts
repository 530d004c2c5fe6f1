import type { Account } from '@tokenkeeper/core'
import type { Run } from '@tokenkeeper/store'
import { buildAttempt } from '@tokenkeeper/store/conformance'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
      expect.arrayContaining(
        accounts.map(({ id }) => ({ accountId: id, type: 'manual', force: true, since: run.startedAt })),
      ),
    )
    await markRefreshed(store, clock, a!.id, { force: true })
    await markRefreshed(store, clock, b!.id, { force: true }, 'failed')
    expect(await advanceRun(deps, run.id)).toBe('waiting')
    expect(await standing(harness, run)).toMatchObject({ cursor: null, totals: { ...NONE, platforms: {} } })

    await markRefreshed(store, clock, c!.id, { force: true })
    expect(await advanceRun(deps, run.id)).toBe('finished')
    const totals = { ...NONE, total: 3, refreshed: 2, failed: 1 }
    expect(await standing(harness, run)).toMatchObject({
      cursor: c!.id,
      totals: { ...totals, platforms: { bluesky: totals } },
      finishedAt: expect.any(Number),
    })
    expect(await advanceRun(deps, run.id)).toBe('finished')
    expect((await standing(harness, run)).totals.total).toBe(3)
  })

  test('goes page by page, and two at once count nothing twice', async () => {
    await using harness = await startHarness({ port: redis.port })
    const { deps, store, clock } = harness
    const accounts = await harness.addAccounts(5)
    const run = await begin(harness)
    for (const { id } of accounts) await markRefreshed(store, clock, id, { force: true })
    const steps = () => Promise.all([advanceRun(deps, run.id, 2), advanceRun(deps, run.id, 2)])
    expect(await steps()).toEqual(['moved', 'moved'])
    expect(await standing(harness, run)).toMatchObject({
      cursor: accounts[1]!.id,
      totals: { total: 2 },
      finishedAt: null,
    })
    await steps()
    expect((await steps()).toSorted()).toEqual(['finished', 'moved'])
    expect(await standing(harness, run)).toMatchObject({ totals: { total: 5, refreshed: 5 } })
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
    const run = await begin(harness, { filter: { platform: 'bluesky' } })
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

  type Case = [string, (now: number) => Partial<Account>, 'waiting' | keyof typeof NONE, Run['filter']?]
  const cases: Case[] = [
    [
      'a refresh before the run does not count',
      (now) => ({ lastAttempt: attempted('refreshed', now - 60_000) }),
      'waiting',
    ],
    [
      'a failure before the run does not count',
      (now) => ({ lastAttempt: attempted('failed', now - 60_000) }),
      'waiting',
    ],
    ['a refresh since counts', (now) => ({ lastAttempt: attempted('refreshed', now + 60_000) }), 'refreshed'],
    ['an unknown outcome is a failure', (now) => ({ lastAttempt: attempted('ambiguous', now + 60_000) }), 'failed'],
    [
      'a death in the run is a failure',
      (now) => ({ status: 'needs_reconnect', lastAttempt: attempted('dead', now + 60_000) }),
      'failed',
    ],
    ['a dead account is skipped', () => ({ status: 'needs_reconnect' }), 'skipped'],
    ['a paused account is skipped', () => ({ status: 'paused' }), 'skipped'],
    ['a quarantined account is skipped', () => ({ status: 'quarantined' }), 'skipped'],
    ['what pacing postponed since is deferred', (now) => ({ snoozedAt: now + 60_000 }), 'deferred'],
    ['what pacing postponed earlier is tried', (now) => ({ snoozedAt: now - 60_000 }), 'waiting'],
    ['an attempt that must wait is deferred', (now) => ({ attempt: released(now + 60_000) }), 'deferred'],
    ['an attempt that may be taken over is tried', (now) => ({ attempt: released(now - 60_000) }), 'waiting'],
    ['what is not due soon is skipped', (now) => ({ nextRefreshAt: now + 60_000 }), 'skipped', { dueBefore: 1 }],
    ['what is due soon is tried', () => ({ nextRefreshAt: 1 }), 'waiting', { dueBefore: 1 }],
    [
      'what is due later now, since it was refreshed, is refreshed',
      (now) => ({ nextRefreshAt: now + 60_000, lastAttempt: attempted('refreshed', now + 60_000) }),
      'refreshed',
      { dueBefore: 1 },
    ],
  ]
  test.each(cases)('%s', async (_, account, expected, filter = {}) => {
    await using harness = await startHarness({ port: redis.port })
    await harness.addAccounts(1, account(harness.clock.now()))
    const run = await begin(harness, { filter })
    const step = await advanceRun(harness.deps, run.id)
    expect(step).toBe(expected === 'waiting' ? 'waiting' : 'finished')
    if (expected === 'waiting') return
    expect((await standing(harness, run)).totals).toMatchObject({ ...NONE, total: 1, [expected]: 1 })
  })
})

const attempted = (outcome: 'refreshed' | 'failed' | 'ambiguous' | 'dead', at: number) => ({
  id: 'a'.repeat(24),
  outcome,
  generation: 1,
  at,
})
const released = (notBefore: number) => buildAttempt({ state: 'released', notBefore })

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
})

async function snooze({ store, clock }: Harness, accountId: string) {
  const until = clock.now() + 60_000
  const set = { snoozedAt: clock.now(), nextRefreshAt: until }
  await store.accounts.write({ name: 'snooze', accountId, when: {}, change: { set } })
  return { kind: 'snoozed', until } as const
}
