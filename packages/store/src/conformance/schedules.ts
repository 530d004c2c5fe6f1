import { makeId } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import type { Schedule } from '../store.ts'
import { AT } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

/** A schedule that has started some runs, for tests. */
export function buildSchedule(overrides: Partial<Schedule> = {}): Schedule {
  return {
    id: `schedule-${makeId()}`,
    pattern: '0 2 * * *',
    tz: 'Europe/Berlin',
    platforms: ['meta', 'instagram'],
    runLimit: null,
    startedRuns: 3,
    isOn: true,
    lastOccurrence: null,
    pending: null,
    changedAt: AT,
    pinnedBy: ['META_CRON'],
    ...overrides,
  }
}

export function scheduleTests(open: OpenFixture): void {
  test('a schedule is read back exactly, also through another handle', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const all = [
      buildSchedule({ id: 'b-daily' }),
      // A name that looks like an id.
      buildSchedule({ id: makeId(), isOn: false, runLimit: 9, lastOccurrence: AT, pending: AT, platforms: [] }),
      buildSchedule({ id: 'a-daily', pinnedBy: [] }),
    ]
    for (const schedule of all) expect(await fixture.store.schedules.insert(schedule)).toBe(true)
    for (const schedule of all) expect(await second.schedules.get(schedule.id)).toStrictEqual(schedule)
    expect(await second.schedules.get('unknown')).toBeNull()
  })

  test('list tells all, by their names', async () => {
    await using fixture = await open()
    const { schedules } = fixture.store
    expect(await schedules.list()).toEqual([])
    const [b, a, c] = ['b', 'a', 'c'].map((id) => buildSchedule({ id }))
    for (const schedule of [b!, a!, c!]) await schedules.insert(schedule)
    expect(await schedules.list()).toStrictEqual([a, b, c])
  })

  test('of many that make one of the same name at once, through two handles, one does', async () => {
    await using fixture = await open()
    const handles = [fixture.store.schedules, (await fixture.openSecond()).schedules]
    const rivals = Array.from({ length: 8 }, (_, i) => buildSchedule({ id: 'daily', runLimit: i + 1 }))
    const made = await Promise.all(rivals.map((schedule, i) => handles[i % 2]!.insert(schedule)))
    expect(made.filter(Boolean)).toHaveLength(1)
    expect(await handles[0]!.list()).toStrictEqual([rivals[made.indexOf(true)]])
  })

  test('of many that take one occurrence at once, through two handles, exactly one does', async () => {
    await using fixture = await open()
    const handles = [fixture.store.schedules, (await fixture.openSecond()).schedules]
    let schedule = buildSchedule({ startedRuns: 0 })
    await handles[0]!.insert(schedule)
    for (let round = 1; round <= 10; round++) {
      const taken = { ...schedule, startedRuns: round, lastOccurrence: AT + round, pending: AT + round }
      const won = await Promise.all(Array.from({ length: 8 }, (_, i) => handles[i % 2]!.update(schedule, taken)))
      expect(won.filter(Boolean)).toHaveLength(1)
      expect(await handles[round % 2]!.get(schedule.id)).toStrictEqual(taken)
      schedule = taken
    }
  })

  test('an update or a removal lands only on what is exactly as it was read', async () => {
    await using fixture = await open()
    const { schedules } = fixture.store
    const [schedule, other] = [buildSchedule({ id: 'a' }), buildSchedule({ id: 'b' })]
    for (const one of [schedule, other]) await schedules.insert(one)
    const moved = {
      pattern: '0 3 * * *',
      tz: 'UTC',
      platforms: ['instagram', 'meta'],
      runLimit: 5,
      startedRuns: 4,
      isOn: false,
      lastOccurrence: AT + 1,
      pending: AT + 1,
      changedAt: AT + 1,
      pinnedBy: [],
    } as const
    for (const [field, value] of Object.entries(moved)) {
      const stale = { ...schedule, [field]: value }
      expect(await schedules.update(stale, { ...schedule, startedRuns: 99 })).toBe(false)
      expect(await schedules.remove(stale)).toBe(false)
      expect(await schedules.get(schedule.id)).toStrictEqual(schedule)
    }
    const next = { ...schedule, ...moved }
    expect(await schedules.update(schedule, next)).toBe(true)
    expect(await schedules.update(schedule, next)).toBe(false)
    expect(await schedules.get(schedule.id)).toStrictEqual(next)
    expect(await schedules.remove(next)).toBe(true)
    expect(await schedules.remove(next)).toBe(false)
    expect(await schedules.update(next, schedule)).toBe(false)
    expect(await schedules.list()).toStrictEqual([other])
    expect(await schedules.insert(schedule)).toBe(true)
  })
}
