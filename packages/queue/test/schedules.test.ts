import { type RedisServer, startRedis, until } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Schedule } from '../src/schedule.ts'
import { latestOccurrence, reconcileSchedules } from '../src/schedules.ts'
import { startWorkers } from '../src/worker.ts'
import { type Harness, startHarness } from './harness.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const WEEK = 7 * 86_400_000
const weekly: Schedule = { id: 'bluesky-weekly', pattern: '0 0 * * 0', tz: 'UTC', platform: 'bluesky' }

describe('the latest occurrence', () => {
  const utc = (text: string) => Date.parse(text)
  test.each([
    ['in the week', '2026-11-25T13:00:00Z', '2026-11-22T00:00:00Z'],
    ['just after', '2026-11-22T00:00:00.001Z', '2026-11-22T00:00:00Z'],
    ['at the very time', '2026-11-22T00:00:00.000Z', '2026-11-22T00:00:00Z'],
    ['just before', '2026-11-21T23:59:59.999Z', '2026-11-15T00:00:00Z'],
  ])('%s', (_, now, expected) => {
    expect(latestOccurrence(weekly, utc(now))).toBe(utc(expected))
  })

  test('goes by the time zone, also when its clocks change', () => {
    const daily = { pattern: '0 2 * * *', tz: 'Europe/Berlin' }
    expect(latestOccurrence(daily, utc('2026-07-01T12:00:00Z'))).toBe(utc('2026-07-01T00:00:00Z'))
    expect(latestOccurrence(daily, utc('2026-12-01T12:00:00Z'))).toBe(utc('2026-12-01T01:00:00Z'))
  })
})

const allRuns = async ({ store }: Harness) => store.runs.unfinished(100)

describe('reconciling', () => {
  test('by several schedulers, again and again, makes each schedule once', async () => {
    await using harness = await startHarness({ port: redis.port, schedules: [weekly] })
    const { queues } = harness.deps
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 4 }, () => reconcileSchedules(harness.deps)))
    }
    const schedulers = await queues.schedule.getJobSchedulers()
    expect(schedulers.map(({ key, every, pattern, tz }) => ({ key, every, pattern, tz }))).toEqual(
      expect.arrayContaining([
        { key: 'sweep', every: 60_000, pattern: undefined, tz: undefined },
        { key: 'bluesky-weekly', every: undefined, pattern: '0 0 * * 0', tz: 'UTC' },
      ]),
    )
    expect(schedulers).toHaveLength(2)
    expect(await queues.schedule.getJobCountByTypes('waiting', 'delayed')).toBe(2)
  })

  test('starts nothing for a schedule that was never seen before', async () => {
    await using harness = await startHarness({ port: redis.port, schedules: [weekly] })
    await reconcileSchedules(harness.deps)
    expect(await allRuns(harness)).toEqual([])
  })

  test('starts the latest occurrence that was missed, once, whatever number was missed', async () => {
    await using harness = await startHarness({ port: redis.port, schedules: [weekly] })
    await reconcileSchedules(harness.deps)
    harness.clock.advance(3 * WEEK)
    await Promise.all([reconcileSchedules(harness.deps), reconcileSchedules(harness.deps)])
    await reconcileSchedules(harness.deps)
    const occurrence = latestOccurrence(weekly, harness.clock.now())
    expect(await allRuns(harness)).toMatchObject([
      {
        scheduleId: 'bluesky-weekly',
        occurrence: new Date(occurrence).toISOString(),
        filter: { platform: 'bluesky', dueBefore: occurrence + 86_400_000 },
        requestedBy: 'schedule',
      },
    ])
    harness.clock.advance(WEEK)
    await reconcileSchedules(harness.deps)
    expect(await allRuns(harness)).toHaveLength(2)
  })
})

test('a tick starts the run of its own time, and a second scheduler makes no second one', async () => {
  const everySecond: Schedule = { id: 'each-second', pattern: '* * * * * *', tz: 'UTC' }
  await using harness = await startHarness({ port: redis.port, schedules: [everySecond] })
  const [account] = await harness.addAccounts(1, { nextRefreshAt: harness.clock.now() + 3_600_000 })
  const seen = new Set<string>()
  const { runs } = harness.store
  const insert = runs.insert.bind(runs)
  const watched: typeof runs = {
    ...runs,
    insert: async (run) => {
      const standing = await insert(run)
      if (run.occurrence !== 'first-seen') seen.add(`${standing.occurrence} ${standing.id}`)
      return standing
    },
  }
  const deps = { ...harness.deps, store: { ...harness.store, runs: watched } }
  await reconcileSchedules(deps)
  await using _workers = await startWorkers(deps)
  const occurrences = () => [...seen].map((entry) => entry.split(' ')[0]!)
  await expect
    .poll(async () => reconcileSchedules(deps).then(() => new Set(occurrences()).size))
    .toBeGreaterThanOrEqual(3)
  expect(new Set(occurrences()).size).toBe(seen.size)
  expect(occurrences().every((occurrence) => occurrence.endsWith('.000Z'))).toBe(true)
  // A scheduled run takes what falls due within a day of its tick.
  await expect
    .poll(() => harness.engine.calls)
    .toContainEqual({
      accountId: account!.id,
      options: expect.objectContaining({ type: 'scheduled', force: true }),
    })
})

test('a tick that is brought forward spends no occurrence: its run starts when its time has come', async () => {
  const month = ((new Date().getUTCMonth() + 6) % 12) + 1
  const yearly: Schedule = { id: 'in-half-a-year', pattern: `0 0 1 ${month} *`, tz: 'UTC' }
  await using harness = await startHarness({ port: redis.port, schedules: [yearly] })
  const { deps, clock } = harness
  const { schedule } = deps.queues
  await reconcileSchedules(deps)
  const tick = (await schedule.getDelayed()).find(({ name }) => name === 'refresh-all')!
  const time = Number(tick.id!.split(':').at(-1))
  expect(time).toBeGreaterThan(clock.now())
  await using _workers = await startWorkers(deps)
  await tick.promote()
  await until(async () => (await tick.getState()) === 'completed', { what: 'the tick to be worked on' })
  expect(await harness.store.runs.latest(yearly.id)).toMatchObject({ occurrence: 'first-seen' })

  clock.advance(time - clock.now())
  await reconcileSchedules(deps)
  expect(await harness.store.runs.latest(yearly.id)).toMatchObject({ occurrence: new Date(time).toISOString() })
})
