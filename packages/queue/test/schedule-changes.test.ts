import { makeId, systemClock } from '@tokenkeeper/core'
import { createSqliteStore, type Store } from '@tokenkeeper/store'
import { tempDir } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { changeSchedule, listSchedules, removeSchedule, runSchedule } from '../src/schedules/change.ts'
import type { DefaultSettings } from '../src/schedules/defaults.ts'

const NOTHING = { pattern: undefined, tz: undefined, runLimit: undefined }
const unset: DefaultSettings = { 'meta-daily': NOTHING, 'bluesky-weekly': NOTHING }
const NOW = Date.parse('2026-11-25T10:00:00Z')

async function openWorld(schedules: DefaultSettings = unset) {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const clock = { ...systemClock, now: () => NOW }
  const store: Store = stack.use(createSqliteStore({ path: `${dir.path}/test.db`, clock }))
  return { store, clock, makeId, schedules, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe('listing', () => {
  test('tells the default schedules also before anybody stored them, and stores nothing', async () => {
    await using world = await openWorld({ ...unset, 'meta-daily': { ...NOTHING, pattern: '0 4 * * *' } })
    expect(await listSchedules(world)).toMatchObject([
      { id: 'bluesky-weekly', pattern: '0 0 * * 0', pinnedBy: [] },
      { id: 'meta-daily', pattern: '0 4 * * *', pinnedBy: ['META_CRON'] },
    ])
    expect(await world.store.schedules.list()).toEqual([])
  })
})

describe('a change', () => {
  test('makes a schedule where a pattern is given, and changes it from then on; its count goes on', async () => {
    await using world = await openWorld()
    const made = await changeSchedule(world, 'nightly', { pattern: '0 3 * * *', platforms: ['threads'], runLimit: 9 })
    expect(made).toMatchObject({ tz: 'UTC', startedRuns: 0, isOn: true, changedAt: NOW })
    await world.store.schedules.update(made, { ...made, startedRuns: 5, changedAt: 1 })
    expect(await changeSchedule(world, 'nightly', { runLimit: 20 })).toMatchObject({ startedRuns: 5, changedAt: 1 })
    const moved = await changeSchedule(world, 'nightly', { pattern: '0 9 * * *', tz: 'Europe/Berlin' })
    expect(moved).toMatchObject({ startedRuns: 5, runLimit: 20, changedAt: NOW, platforms: ['threads'] })
    expect(await world.store.schedules.get('nightly')).toEqual(moved)
  })

  test('changes a default schedule that nobody stored yet', async () => {
    await using world = await openWorld()
    await changeSchedule(world, 'meta-daily', { isOn: false })
    expect(await world.store.schedules.get('meta-daily')).toMatchObject({ isOn: false, pattern: '0 2 * * *' })
  })

  test('of many at once none is lost', async () => {
    await using world = await openWorld()
    await changeSchedule(world, 'nightly', { pattern: '0 3 * * *' })
    await Promise.all([
      changeSchedule(world, 'nightly', { runLimit: 4 }),
      changeSchedule(world, 'nightly', { tz: 'Asia/Tokyo' }),
      changeSchedule(world, 'nightly', { isOn: false }),
    ])
    expect(await world.store.schedules.get('nightly')).toMatchObject({ runLimit: 4, tz: 'Asia/Tokyo', isOn: false })
  })

  test.each([
    ['META_CRON', { pattern: '0 5 * * *' }],
    ['SCHEDULE_TIMEZONE', { tz: 'UTC' }],
    ['META_LIMIT', { runLimit: null }],
  ])('of what %s sets is refused, by this environment or by that of the scheduler', async (variable, change) => {
    const set = { pattern: '0 4 * * *', tz: 'Asia/Tokyo', runLimit: 3 }
    await using world = await openWorld({ ...unset, 'meta-daily': set })
    const refusal = { code: 'SCHEDULE_PINNED', message: expect.stringContaining(variable) }
    await expect(changeSchedule(world, 'meta-daily', change)).rejects.toMatchObject(refusal)
    await changeSchedule(world, 'meta-daily', { platforms: ['meta'], isOn: false })
    await expect(changeSchedule({ ...world, schedules: unset }, 'meta-daily', change)).rejects.toMatchObject(refusal)
    expect(await changeSchedule(world, 'bluesky-weekly', change)).toMatchObject(change)
  })

  test.each(['Nightly', '9pm', 'a b', '', 'a'.repeat(64), 'sweep', 'once'])('makes none of the name %j', async (id) => {
    await using world = await openWorld()
    await expect(changeSchedule(world, id, { pattern: '0 3 * * *' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(changeSchedule(world, id, { isOn: true })).rejects.toMatchObject({ code: 'SCHEDULE_NOT_FOUND' })
  })
})

test('a schedule of one’s own is removed, a default one is not', async () => {
  await using world = await openWorld()
  await changeSchedule(world, 'nightly', { pattern: '0 3 * * *' })
  await removeSchedule(world, 'nightly')
  expect(await world.store.schedules.get('nightly')).toBeNull()
  await expect(removeSchedule(world, 'nightly')).rejects.toMatchObject({ code: 'SCHEDULE_NOT_FOUND' })
  await expect(removeSchedule(world, 'meta-daily')).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
})

describe('a run by hand', () => {
  test('is one, however many ask at once, and takes what its schedule takes; the limit does not count it', async () => {
    await using world = await openWorld()
    const runs = await Promise.all([1, 2, 3].map(() => runSchedule(world, 'meta-daily', 'cli')))
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1)
    expect(runs[0]).toMatchObject({
      scheduleId: 'meta-daily',
      filter: { platforms: ['meta', 'instagram', 'threads'], dueBefore: NOW + 86_400_000 },
      requestedBy: 'cli',
      finishedAt: null,
    })
    const { id, totals } = runs[0]!
    await world.store.runs.advance(id, null, { cursor: null, totals, finishedAt: NOW })
    expect((await runSchedule(world, 'meta-daily', 'cli')).id).not.toBe(id)
    expect((await listSchedules(world)).map(({ startedRuns }) => startedRuns)).toEqual([0, 0])
  })

  test('of no schedule is none', async () => {
    await using world = await openWorld()
    await expect(runSchedule(world, 'nightly', 'cli')).rejects.toMatchObject({ code: 'SCHEDULE_NOT_FOUND' })
  })
})
