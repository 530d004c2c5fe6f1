import { DAY, HOUR, makeId, SECOND } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import { buildSchedule } from '@tokenkeeper/store/conformance'
import { type RedisServer, startRedis, until } from '@tokenkeeper/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertRun } from '../src/runs/start-run.ts'
import { startScheduler } from '../src/scheduler.ts'
import { newSchedule } from '../src/schedules/defaults.ts'
import { reconcileSchedules } from '../src/schedules/reconcile.ts'
import { startDue } from '../src/schedules/start-due.ts'
import { startWorkers } from '../src/worker.ts'
import { type HarnessOptions, startHarness } from './harness.ts'
import { AT_TWO, finish, get, goTo, startBefore, told, unfinished } from './schedule-harness.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const WEEK = 7 * DAY
const before = (time: number, schedules: HarnessOptions['schedules'] = {}) =>
  startBefore(time, { port: redis.port, schedules })

describe('reconciling', () => {
  test('by several schedulers, again and again, makes each schedule once', async () => {
    await using harness = await startHarness({ port: redis.port })
    const { queues, store } = harness.deps
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 4 }, () => reconcileSchedules(harness.deps)))
    }
    const schedulers = await queues.schedule.getJobSchedulers()
    expect(schedulers.map(({ key, every, pattern, tz }) => ({ key, every, pattern, tz }))).toEqual(
      expect.arrayContaining([
        { key: 'sweep', every: 60_000, pattern: undefined, tz: undefined },
        { key: 'meta-daily', every: undefined, pattern: '0 2 * * *', tz: 'UTC' },
        { key: 'bluesky-weekly', every: undefined, pattern: '0 0 * * 0', tz: 'UTC' },
      ]),
    )
    expect(schedulers).toHaveLength(3)
    expect(await queues.schedule.getJobCountByTypes('waiting', 'delayed')).toBe(3)
    expect(await store.schedules.list()).toMatchObject([
      { id: 'bluesky-weekly', platforms: ['bluesky'], runLimit: null, startedRuns: 0, isOn: true, pinnedBy: [] },
      { id: 'meta-daily', platforms: ['meta', 'instagram', 'threads'], runLimit: null, lastOccurrence: null },
    ])
  })

  test('starts nothing for a schedule that was never seen before', async () => {
    await using harness = await startHarness({ port: redis.port })
    await reconcileSchedules(harness.deps)
    expect(await unfinished(harness)).toEqual([])
  })

  test('takes out of Redis what was removed, turned off or is over, and puts back what is on again', async () => {
    await using harness = await startHarness({ port: redis.port })
    const { deps, store } = harness
    const ticking = async () => (await deps.queues.schedule.getJobSchedulers()).map(({ key }) => key).toSorted()
    const own = buildSchedule({ id: 'own', startedRuns: 3, changedAt: deps.clock.now() })
    await store.schedules.insert(own)
    await reconcileSchedules(deps)
    expect(await ticking()).toEqual(['bluesky-weekly', 'meta-daily', 'own', 'sweep'])

    await store.schedules.update(own, { ...own, runLimit: 3 })
    const daily = await get(harness)
    await store.schedules.update(daily, { ...daily, isOn: false })
    await reconcileSchedules(deps)
    expect(await ticking()).toEqual(['bluesky-weekly', 'sweep'])

    await store.schedules.update({ ...own, runLimit: 3 }, own)
    await reconcileSchedules(deps)
    expect(await ticking()).toEqual(['bluesky-weekly', 'own', 'sweep'])
    await store.schedules.remove(own)
    await reconcileSchedules(deps)
    expect(await ticking()).toEqual(['bluesky-weekly', 'sweep'])
    expect(await deps.queues.schedule.getJobCountByTypes('waiting', 'delayed')).toBe(2)
  })

  test('with a schedule that cannot be read does the others, and enqueues unfinished runs', async () => {
    await using harness = await before(AT_TWO)
    const { deps, store } = harness
    const daily = await get(harness)
    await store.schedules.insert(buildSchedule({ id: 'a-broken-one', pattern: 'at two' }))
    await store.schedules.update(
      await get(harness, 'bluesky-weekly'),
      buildSchedule({ id: 'bluesky-weekly', tz: 'Nowhere' }),
    )
    goTo(harness, AT_TWO)
    await insertRun(deps, { id: makeId(), scheduleId: 'once', occurrence: 'x', filter: {}, requestedBy: 'cli' })
    await reconcileSchedules(deps)
    expect(await get(harness)).toEqual({ ...daily, startedRuns: 1, lastOccurrence: AT_TWO })
    const enqueued = (await deps.queues.schedule.getWaiting()).filter(({ name }) => name === 'run')
    expect(enqueued).toHaveLength(2)
    const errors = harness.lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 50)
    expect(new Set(errors.map(({ schedule }) => schedule))).toEqual(new Set(['a-broken-one', 'bluesky-weekly']))
  })
})

describe('a time that was missed', () => {
  test('is started once, however many look, and with what the schedule takes', async () => {
    await using harness = await before(AT_TWO)
    goTo(harness, AT_TWO + 5 * HOUR)
    await Promise.all([1, 2, 3].map(() => reconcileSchedules(harness.deps)))
    await reconcileSchedules(harness.deps)
    expect(await unfinished(harness)).toMatchObject([
      {
        scheduleId: 'meta-daily',
        occurrence: new Date(AT_TWO).toISOString(),
        filter: { platforms: ['meta', 'instagram', 'threads'], dueBefore: AT_TWO + DAY },
        requestedBy: 'schedule',
      },
    ])
    expect(await get(harness)).toMatchObject({ startedRuns: 1, lastOccurrence: AT_TWO, pending: null })
  })

  test('by a host that slept for weeks: the latest is started, once', async () => {
    await using harness = await before(AT_TWO)
    goTo(harness, AT_TWO + 3 * WEEK + HOUR)
    await reconcileSchedules(harness.deps)
    await finish(harness)
    await reconcileSchedules(harness.deps)
    expect(await unfinished(harness)).toEqual([])
    expect(await harness.store.runs.latest('meta-daily')).toMatchObject({
      occurrence: new Date(AT_TWO + 3 * WEEK).toISOString(),
    })
    expect(await get(harness)).toMatchObject({ startedRuns: 1 })
    expect(await get(harness, 'bluesky-weekly')).toMatchObject({ startedRuns: 1 })
  })

  test('since Redis was flushed a minute before: it is started once, though its tick comes as well', async () => {
    await using harness = await before(AT_TWO)
    const { deps } = harness
    goTo(harness, AT_TWO - 60 * SECOND)
    const client = new Redis(redis.port)
    const keys = await client.keys(`${deps.prefix}:*`)
    expect(keys.length).toBeGreaterThan(0)
    await client.unlink(keys)
    client.disconnect()
    goTo(harness, AT_TWO + 20 * SECOND)
    await using _workers = await startWorkers(deps)
    const ticks = await deps.queues.schedule.addBulk(
      Array.from({ length: 4 }, () => ({ name: 'refresh-all', data: { scheduleId: 'meta-daily' } })),
    )
    await Promise.all([reconcileSchedules(deps), reconcileSchedules(deps)])
    for (const tick of ticks)
      await until(async () => (await tick.getState()) === 'completed', { what: 'the tick to be worked on' })
    expect((await deps.queues.schedule.getJobSchedulers()).map(({ key }) => key)).toContain('meta-daily')
    expect(await get(harness)).toMatchObject({ startedRuns: 1, lastOccurrence: AT_TWO })
    expect((await harness.store.runs.scan({ afterId: null, limit: 9 })).map(({ occurrence }) => occurrence)).toEqual([
      new Date(AT_TWO).toISOString(),
    ])
  })

  test('is not started again when its run has been pruned', async () => {
    await using harness = await before(AT_TWO)
    goTo(harness, AT_TWO + SECOND)
    await reconcileSchedules(harness.deps)
    await finish(harness)
    expect(await harness.store.runs.prune({ before: AT_TWO + HOUR, limit: 9 })).toBe(1)
    await reconcileSchedules(harness.deps)
    expect(await harness.store.runs.latest('meta-daily')).toBeNull()
  })

  test('and taken by a process that died before it made the run is started by the next one, counted once', async () => {
    await using harness = await before(AT_TWO)
    const { deps, store } = harness
    goTo(harness, AT_TWO)
    const dying: Store = { ...store, runs: { ...store.runs, insert: () => Promise.reject(new Error('killed here')) } }
    await expect(startDue({ ...deps, store: dying }, await get(harness))).rejects.toThrow('killed here')
    expect(await get(harness)).toMatchObject({ startedRuns: 1, pending: AT_TWO })
    expect(await unfinished(harness)).toEqual([])

    await Promise.all([reconcileSchedules(deps), reconcileSchedules(deps)])
    expect(await unfinished(harness)).toMatchObject([{ occurrence: new Date(AT_TWO).toISOString() }])
    expect(await get(harness)).toMatchObject({ startedRuns: 1, pending: null })
  })

  test('and made by a process that died before it said so is not made twice', async () => {
    await using harness = await before(AT_TWO)
    const { deps, store } = harness
    goTo(harness, AT_TWO)
    const update: Store['schedules']['update'] = (from, to) =>
      from.pending === null ? store.schedules.update(from, to) : Promise.reject(new Error('killed here'))
    const dying: Store = { ...store, schedules: { ...store.schedules, update } }
    await expect(startDue({ ...deps, store: dying }, await get(harness))).rejects.toThrow('killed here')
    await finish(harness)
    await reconcileSchedules(deps)
    expect(await unfinished(harness)).toEqual([])
    expect(await get(harness)).toMatchObject({ startedRuns: 1, pending: null })
  })
})

describe('no overlap', () => {
  test('what comes while a run goes on waits for its end, and is started once then: only the latest', async () => {
    await using harness = await before(AT_TWO)
    goTo(harness, AT_TWO)
    await reconcileSchedules(harness.deps)
    const [first] = await unfinished(harness)
    goTo(harness, AT_TWO + 2 * DAY + HOUR)
    await reconcileSchedules(harness.deps)
    expect(await unfinished(harness)).toEqual([first])

    await finish(harness)
    await Promise.all([1, 2, 3].map(() => reconcileSchedules(harness.deps)))
    expect(await unfinished(harness)).toMatchObject([{ occurrence: new Date(AT_TWO + 2 * DAY).toISOString() }])
    expect(await get(harness)).toMatchObject({ startedRuns: 2 })
  })

  test('another schedule does not wait', async () => {
    await using harness = await before(AT_TWO)
    const other = newSchedule(
      { id: 'other', pattern: '5 2 * * *', tz: 'UTC', platforms: [], runLimit: null },
      AT_TWO - HOUR,
    )
    await harness.store.schedules.insert(other)
    goTo(harness, AT_TWO + HOUR)
    await reconcileSchedules(harness.deps)
    const runs = await unfinished(harness)
    expect(runs.map(({ scheduleId }) => scheduleId).toSorted()).toEqual(['meta-daily', 'other'])
    expect(runs.find(({ scheduleId }) => scheduleId === 'other')?.filter).toEqual({ dueBefore: AT_TWO + 300_000 + DAY })
  })
})

describe('a limit', () => {
  test('counts runs, warns long before its end, says when it is over, and nothing starts it afresh', async () => {
    await using harness = await before(AT_TWO, { 'meta-daily': { runLimit: 12 } })
    const { deps } = harness
    const nextDay = async () => {
      harness.clock.advance(DAY)
      await reconcileSchedules(deps)
      await finish(harness)
    }
    await nextDay()
    expect(told(harness, 'ends soon')).toBe(0)
    await nextDay()
    expect(told(harness, 'ends soon')).toBe(1)
    await reconcileSchedules(deps)
    expect(told(harness, 'ends soon')).toBe(1)
    for (let day = 3; day <= 11; day++) await nextDay()
    expect([told(harness, 'ends soon'), told(harness, 'is over')]).toEqual([10, 0])
    await nextDay()
    expect(told(harness, 'is over')).toBe(1)
    // Each of its times that passes is told, once.
    await nextDay()
    await Promise.all([reconcileSchedules(deps), reconcileSchedules(deps)])
    expect(told(harness, 'is over')).toBe(2)
    expect(await get(harness)).toMatchObject({ startedRuns: 12, runLimit: 12 })
    const runs = await harness.store.runs.scan({ afterId: null, limit: 99 })
    expect(runs.filter(({ scheduleId }) => scheduleId === 'meta-daily')).toHaveLength(12)

    // Also a scheduler that starts says so, and starts nothing.
    await using _scheduler = await startScheduler(deps)
    expect(told(harness, 'is over')).toBe(3)
    expect(await get(harness)).toMatchObject({ startedRuns: 12 })
  })

  test('that is raised goes on counting, and fires nothing that went by', async () => {
    await using harness = await before(AT_TWO, { 'meta-daily': { runLimit: 1 } })
    for (let day = 0; day < 3; day++) {
      harness.clock.advance(DAY)
      await reconcileSchedules(harness.deps)
      await finish(harness)
    }
    const schedules = { ...harness.deps.schedules }
    schedules['meta-daily'] = { ...schedules['meta-daily'], runLimit: 2 }
    const deps = { ...harness.deps, schedules }
    await reconcileSchedules(deps)
    expect(await get(harness)).toMatchObject({ startedRuns: 1, runLimit: 2 })
    harness.clock.advance(DAY)
    await reconcileSchedules(deps)
    expect(await get(harness)).toMatchObject({ startedRuns: 2 })
  })
})

test('a tick starts the run of its time, which takes what falls due within a day', async () => {
  await using harness = await startHarness({ port: redis.port })
  const { deps, store } = harness
  const [account] = await harness.addAccounts(1, { nextRefreshAt: harness.clock.now() + 3_600_000 })
  const eachSecond = {
    id: 'each-second',
    pattern: '* * * * * *',
    tz: 'UTC',
    platforms: ['bluesky'],
    runLimit: null,
  } as const
  await store.schedules.insert(newSchedule(eachSecond, deps.clock.now()))
  await reconcileSchedules(deps)
  // No scheduler looks from here on: only ticks do.
  await using _workers = await startWorkers(deps)
  const count = async () => (await store.schedules.get('each-second'))!.startedRuns
  await expect.poll(count).toBeGreaterThanOrEqual(3)
  const runs = await store.runs.scan({ afterId: null, limit: 99 })
  expect(runs.every(({ occurrence }) => occurrence.endsWith('.000Z'))).toBe(true)
  expect(new Set(runs.map(({ occurrence }) => occurrence)).size).toBe(runs.length)
  await expect
    .poll(() => harness.engine.calls)
    .toContainEqual({
      accountId: account!.id,
      options: expect.objectContaining({ type: 'scheduled', force: true }),
    })
})

test('a tick that is brought forward spends no occurrence: its run starts when its time has come', async () => {
  await using harness = await startHarness({ port: redis.port })
  const { deps, clock, store } = harness
  const { schedule } = deps.queues
  const month = ((new Date().getUTCMonth() + 6) % 12) + 1
  const yearly = { id: 'in-half-a-year', pattern: `0 0 1 ${month} *`, tz: 'UTC', platforms: [], runLimit: null }
  await store.schedules.insert(newSchedule(yearly, clock.now()))
  await reconcileSchedules(deps)
  const tick = (await schedule.getDelayed()).find(({ id }) => id?.includes(yearly.id))!
  const time = Number(tick.id!.split(':').at(-1))
  expect(time).toBeGreaterThan(clock.now())
  await using _workers = await startWorkers(deps)
  await tick.promote()
  await until(async () => (await tick.getState()) === 'completed', { what: 'the tick to be worked on' })
  expect(await store.runs.latest(yearly.id)).toBeNull()

  clock.advance(time - clock.now())
  await reconcileSchedules(deps)
  expect(await store.runs.latest(yearly.id)).toMatchObject({ occurrence: new Date(time).toISOString() })
})

test('a run that cannot be enqueued stands all the same', async () => {
  await using ownRedis = await startRedis()
  await using harness = await startHarness({ port: ownRedis.port })
  goTo(harness, AT_TWO - HOUR)
  await reconcileSchedules(harness.deps)
  goTo(harness, AT_TWO)
  await ownRedis.stop()
  await expect(startDue(harness.deps, await get(harness))).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' })
  expect(await unfinished(harness)).toHaveLength(1)
  await ownRedis.start()
  await until(
    () =>
      reconcileSchedules(harness.deps).then(
        () => true,
        () => false,
      ),
    { what: 'Redis to be back' },
  )
  expect(await harness.deps.queues.schedule.getJobCountByTypes('waiting')).toBeGreaterThan(0)
  expect(await get(harness)).toMatchObject({ startedRuns: 1, pending: null })
})
