import { DAY, HOUR, makeId, SECOND } from '@tokenkeeper/core'
import type { Schedule } from '@tokenkeeper/store'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertRun } from '../src/runs/start-run.ts'
import { changeSchedule, listSchedules } from '../src/schedules/change.ts'
import { reconcileSchedules } from '../src/schedules/reconcile.ts'
import { type Harness, type HarnessOptions, startHarness } from './harness.ts'
import { AT_TWO, finish, get, goTo, startBefore, told, unfinished } from './schedule-harness.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const before = (time: number, schedules: HarnessOptions['schedules'] = {}) =>
  startBefore(time, { port: redis.port, schedules })

describe('a default schedule of which an earlier version has started runs', () => {
  async function hasStarted(harness: Harness, occurrence: string): Promise<void> {
    const of = { scheduleId: 'meta-daily', occurrence, filter: {}, requestedBy: 'schedule' }
    await insertRun(harness.deps, { id: makeId(), ...of })
    await finish(harness)
  }

  test('starts the time that came while nothing ran, also under times that the environment sets', async () => {
    const environment = { 'meta-daily': { pattern: '0 4 * * *' } }
    await using harness = await startHarness({ port: redis.port, schedules: environment })
    await hasStarted(harness, new Date(AT_TWO - 22 * HOUR).toISOString())
    goTo(harness, AT_TWO + 3 * HOUR)
    expect(await listSchedules(harness.deps)).toContainEqual(
      expect.objectContaining({ id: 'meta-daily', lastOccurrence: AT_TWO - 22 * HOUR }),
    )
    await reconcileSchedules(harness.deps)
    expect(await unfinished(harness)).toMatchObject([{ occurrence: new Date(AT_TWO + 2 * HOUR).toISOString() }])
  })

  test('does so also if somebody changes it first', async () => {
    await using harness = await startHarness({ port: redis.port })
    await hasStarted(harness, new Date(AT_TWO - DAY).toISOString())
    goTo(harness, AT_TWO + HOUR)
    await changeSchedule(harness.deps, 'meta-daily', { runLimit: 9 })
    await reconcileSchedules(harness.deps)
    expect(await unfinished(harness)).toMatchObject([{ occurrence: new Date(AT_TWO).toISOString() }])
  })

  test('but only by hand starts nothing', async () => {
    await using harness = await startHarness({ port: redis.port })
    await hasStarted(harness, 'after:2026')
    goTo(harness, AT_TWO + HOUR)
    await reconcileSchedules(harness.deps)
    expect(await unfinished(harness)).toEqual([])
  })
})

describe('the environment', () => {
  const berlin = { 'meta-daily': { pattern: '30 4 * * *', tz: 'Europe/Berlin', runLimit: 99 } }

  test('sets parts of the default schedules, which says so in the store, and takes them back when it no longer does', async () => {
    await using harness = await startHarness({ port: redis.port, schedules: berlin })
    await reconcileSchedules(harness.deps)
    expect(await get(harness)).toMatchObject({
      pattern: '30 4 * * *',
      tz: 'Europe/Berlin',
      runLimit: 99,
      pinnedBy: ['META_CRON', 'SCHEDULE_TIMEZONE', 'META_LIMIT'],
    })
    expect(await get(harness, 'bluesky-weekly')).toMatchObject({ tz: 'UTC', pinnedBy: [] })
    const daily = harness.deps.schedules['meta-daily']
    const schedules = { ...harness.deps.schedules, 'meta-daily': { ...daily, pattern: undefined, runLimit: undefined } }
    await reconcileSchedules({ ...harness.deps, schedules })
    expect(await get(harness)).toMatchObject({
      pattern: '0 2 * * *',
      tz: 'Europe/Berlin',
      runLimit: null,
      pinnedBy: ['SCHEDULE_TIMEZONE'],
    })
  })

  test('leaves what was set by hand', async () => {
    await using harness = await startHarness({ port: redis.port })
    await reconcileSchedules(harness.deps)
    const daily = await get(harness)
    const changed: Schedule = { ...daily, pattern: '0 5 * * *', platforms: ['meta'], runLimit: 7, isOn: false }
    await harness.store.schedules.update(daily, changed)
    await reconcileSchedules(harness.deps)
    expect(await get(harness)).toEqual(changed)
  })

  test('that is changed fires nothing', async () => {
    await using harness = await before(AT_TWO)
    goTo(harness, AT_TWO + HOUR)
    await reconcileSchedules(harness.deps)
    await finish(harness)
    const schedules = { ...harness.deps.schedules }
    schedules['meta-daily'] = { ...schedules['meta-daily'], pattern: '30 2 * * *' }
    await reconcileSchedules({ ...harness.deps, schedules })
    await reconcileSchedules({ ...harness.deps, schedules })
    expect(await unfinished(harness)).toEqual([])
    expect(await get(harness)).toMatchObject({ startedRuns: 1, pattern: '30 2 * * *' })
    const warnings = harness.lines.filter((line) => line.includes('the environment changed'))
    expect(warnings.map((line) => JSON.parse(line))).toMatchObject([
      { schedule: 'meta-daily', variables: ['META_CRON'] },
    ])
  })

  test('that is changed loses no time that is due, also while the last run goes on', async () => {
    await using harness = await before(AT_TWO)
    goTo(harness, AT_TWO)
    await reconcileSchedules(harness.deps)
    goTo(harness, AT_TWO + DAY + HOUR)
    const schedules = { ...harness.deps.schedules }
    schedules['meta-daily'] = { ...schedules['meta-daily'], pattern: '30 2 * * *' }
    const changed = { ...harness.deps, schedules }
    await reconcileSchedules(changed)
    expect(await unfinished(harness)).toMatchObject([{ occurrence: new Date(AT_TWO).toISOString() }])
    await finish(harness)
    await reconcileSchedules(changed)
    expect(await unfinished(harness)).toMatchObject([{ occurrence: new Date(AT_TWO + DAY).toISOString() }])
    await finish(harness)
    await reconcileSchedules(changed)
    expect(await get(harness)).toMatchObject({ startedRuns: 2, pattern: '30 2 * * *' })
    expect(await unfinished(harness)).toEqual([])
  })

  test.each([0, 1])(
    'of two schedulers that differ starts the times of both, once each (%i looks first)',
    async (first) => {
      await using harness = await before(AT_TWO)
      const schedules = { ...harness.deps.schedules }
      schedules['meta-daily'] = { ...schedules['meta-daily'], pattern: '10 2 * * *' }
      const schedulers = [harness.deps, { ...harness.deps, schedules }]
      let looks = first
      for (let time = AT_TWO - 60 * SECOND; time < AT_TWO + HOUR / 4; time += 10 * SECOND) {
        goTo(harness, time)
        await reconcileSchedules(schedulers[looks++ % 2]!)
        await finish(harness)
      }
      const runs = await harness.store.runs.scan({ afterId: null, limit: 9 })
      expect(runs.map(({ occurrence }) => occurrence).toSorted()).toEqual(
        [AT_TWO, AT_TWO + HOUR / 6].map((time) => new Date(time).toISOString()),
      )
      expect(told(harness, 'the environment changed')).toBeGreaterThan(9)
    },
  )
})
