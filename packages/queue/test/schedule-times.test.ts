import { DAY, HOUR, MINUTE } from '@tokenkeeper/core'
import type { Schedule } from '@tokenkeeper/store'
import { buildSchedule } from '@tokenkeeper/store/conformance'
import { describe, expect, test } from 'vitest'
import { altered } from '../src/schedules/altered.ts'
import { dueOccurrence, isEnding, isOver, latestOccurrence, nextOccurrence, runsLeft } from '../src/schedules/times.ts'

const utc = (text: string) => Date.parse(text)
const iso = (time: number | null) => time && new Date(time).toISOString().replace(':00.000Z', 'Z')
const weekly = { pattern: '0 0 * * 0', tz: 'UTC' }
const LONG_AGO = utc('2026-01-01T00:00:00Z')

describe('the latest occurrence', () => {
  test.each([
    ['in the week', '2026-11-25T13:00:00Z', '2026-11-22T00:00:00Z'],
    ['just after', '2026-11-22T00:00:00.001Z', '2026-11-22T00:00:00Z'],
    ['at the very time', '2026-11-22T00:00:00.000Z', '2026-11-22T00:00:00Z'],
    ['just before', '2026-11-21T23:59:59.999Z', '2026-11-15T00:00:00Z'],
  ])('%s', (_, now, expected) => {
    expect(latestOccurrence(weekly, LONG_AGO, utc(now))).toBe(utc(expected))
  })

  test('is none where the last one was taken, at this very time or later', () => {
    const sunday = utc('2026-11-22T00:00:00Z')
    expect(latestOccurrence(weekly, sunday, sunday + 6 * DAY)).toBeNull()
    expect(latestOccurrence(weekly, sunday + 9 * DAY, sunday + 8 * DAY)).toBeNull()
    expect(latestOccurrence(weekly, sunday - 1, sunday)).toBe(sunday)
  })

  test('goes by the time zone, also when its clocks change', () => {
    const daily = { pattern: '0 2 * * *', tz: 'Europe/Berlin' }
    expect(latestOccurrence(daily, LONG_AGO, utc('2026-07-01T12:00:00Z'))).toBe(utc('2026-07-01T00:00:00Z'))
    expect(latestOccurrence(daily, LONG_AGO, utc('2026-12-01T12:00:00Z'))).toBe(utc('2026-12-01T01:00:00Z'))
  })

  test('is found at once after a year in which each minute was missed', () => {
    const eachMinute = { pattern: '* * * * *', tz: 'Europe/Berlin' }
    expect(latestOccurrence(eachMinute, LONG_AGO, LONG_AGO + 365 * DAY)).toBe(LONG_AGO + 365 * DAY)
  })
})

/** Each day on which clocks change, with what comes due around it: at a time that is skipped, repeated, or is midnight. */
const CHANGES: [pattern: string, tz: string, from: string, expected: string[]][] = [
  ['30 2 * * *', 'Europe/Berlin', '2027-03-27', ['2027-03-27T01:30Z', '2027-03-28T01:30Z', '2027-03-29T00:30Z']],
  ['30 2 * * *', 'Europe/Berlin', '2026-10-24', ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z']],
  ['0 0 * * *', 'America/Santiago', '2026-09-05', ['2026-09-05T04:00Z', '2026-09-06T04:00Z', '2026-09-07T03:00Z']],
  [
    '0 */6 * * *',
    'America/New_York',
    '2027-03-14',
    ['2027-03-14T05:00Z', '2027-03-14T10:00Z', '2027-03-14T16:00Z', '2027-03-14T22:00Z', '2027-03-15T04:00Z'],
  ],
  ['15 1 * * *', 'Europe/London', '2026-10-24', ['2026-10-24T00:15Z', '2026-10-25T00:15Z', '2026-10-26T01:15Z']],
]

describe('when clocks change', () => {
  test.each(CHANGES)(
    '%s in %s is taken once at each of its times, whenever it is looked',
    (...[pattern, tz, from, expected]) => {
      for (const every of [15_000 * 7, 11 * MINUTE, 50 * MINUTE, 3 * HOUR]) {
        let schedule = buildSchedule({ pattern, tz, changedAt: utc(`${from}T00:00:00Z`) })
        const taken: (string | number | null)[] = []
        for (let now = schedule.changedAt; taken.length < expected.length; now += every) {
          expect(nextOccurrence(schedule, now)).toBeGreaterThan(now)
          const due = dueOccurrence(schedule, now)
          if (due === null) continue
          expect(now - due).toBeLessThan(every)
          taken.push(iso(due))
          schedule = { ...schedule, lastOccurrence: due }
        }
        expect(taken).toEqual(expected)
      }
    },
  )

  test('and a day was slept through, only the latest time is taken', () => {
    for (const [pattern, tz, , expected] of CHANGES) {
      const schedule = buildSchedule({ pattern, tz, lastOccurrence: utc(expected[0]!), changedAt: LONG_AGO })
      expect(iso(dueOccurrence(schedule, utc(expected.at(-1)!) + MINUTE))).toBe(expected.at(-1))
      const longAsleep = { ...schedule, lastOccurrence: utc(expected[0]!) - 30 * DAY }
      expect(iso(dueOccurrence(longAsleep, utc(expected.at(-1)!) + MINUTE))).toBe(expected.at(-1))
    }
  })
})

describe('a change', () => {
  const now = utc('2026-11-25T10:00:00Z')
  const taken = buildSchedule({ ...weekly, lastOccurrence: utc('2026-11-22T00:00:00Z'), changedAt: LONG_AGO })

  test.each([
    ['to a pattern whose time has just gone by', { pattern: '59 9 * * *' }],
    ['to a time zone where it has just gone by', { tz: 'Pacific/Kiritimati' }],
    ['of its limit', { runLimit: 9 }],
    ['of its platforms', { platforms: [] }],
  ])('%s fires nothing', (_, change) => {
    expect(dueOccurrence(altered(taken, change, now), now)).toBeNull()
  })

  test('back on fires nothing that came while it was off', () => {
    const off = altered(taken, { isOn: false }, now)
    expect(nextOccurrence(off, now)).toBeNull()
    const on = altered(off, { isOn: true }, now + 9 * DAY)
    expect(dueOccurrence(on, now + 9 * DAY)).toBeNull()
    expect(nextOccurrence(on, now + 9 * DAY)).toBe(utc('2026-12-06T00:00:00Z'))
  })

  test.each([
    ['back on', { ...taken, isOn: false }, { isOn: true }],
    ['of its pattern', taken, { pattern: '0 9 * * *' }],
    ['of its time zone', taken, { tz: 'Asia/Tokyo' }],
  ])('%s gives up a time that was taken and not begun', (_, schedule, change) => {
    expect(altered({ ...schedule, pending: schedule.lastOccurrence }, change, now).pending).toBeNull()
  })

  test.each([{ isOn: false }, { runLimit: 9 }, { platforms: [] }])('to %j leaves it to be begun', (change) => {
    expect(altered({ ...taken, pending: 1 }, change, now).pending).toBe(1)
  })

  test('of the limit alone leaves a time due that was missed', () => {
    const missed = { ...taken, lastOccurrence: utc('2026-11-15T00:00:00Z') }
    expect(dueOccurrence(altered(missed, { runLimit: 90 }, now), now)).toBe(utc('2026-11-22T00:00:00Z'))
  })
})

describe('a limit', () => {
  const after = (startedRuns: number, runLimit: number | null): Schedule =>
    buildSchedule({ ...weekly, runLimit, startedRuns })

  test.each([
    [0, null, null, false],
    [299, 400, 101, false],
    [300, 400, 100, true],
    [9, 20, 11, false],
    [10, 20, 10, true],
    [0, 3, 3, true],
    [20, 20, 0, true],
    [25, 20, 0, true],
  ])('after %s of %s runs leaves %s; it is warned: %s', (startedRuns, runLimit, left, ending) => {
    const schedule = after(startedRuns, runLimit)
    expect([runsLeft(schedule), isEnding(schedule), isOver(schedule)]).toEqual([left, ending, left === 0])
    expect(nextOccurrence(schedule, LONG_AGO) === null).toBe(left === 0)
  })
})
