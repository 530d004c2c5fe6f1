import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backOffMs, type Failure, HOUR, MINUTE, nextFailure, releaseBackOffMs, SECOND } from '../src/index.ts'

const count = fc.integer({ min: 1, max: 100_000 })
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const now = Date.UTC(2026, 10, 22)

describe('backOffMs', () => {
  test('doubles from a minute to six hours', () => {
    const waits = [1, 2, 3, 8, 9, 10, 1_000_000].map((n) => backOffMs(n, () => 0))
    expect(waits).toEqual([1, 2, 4, 128, 256, 360, 360].map((minutes) => minutes * MINUTE))
  })

  test('jitter shortens by up to a fifth and never lengthens', () => {
    fc.assert(
      fc.property(count, random, (count, fraction) => {
        const full = backOffMs(count, () => 0)
        const wait = backOffMs(count, () => fraction)
        expect(wait).toBeLessThanOrEqual(full)
        expect(wait).toBeGreaterThanOrEqual(Math.floor(full * 0.8))
        expect(wait).toSatisfy(Number.isSafeInteger)
        expect(full).toBeLessThanOrEqual(6 * HOUR)
      }),
    )
  })
})

describe('releaseBackOffMs', () => {
  test('doubles from a second to five minutes', () => {
    const waits = [1, 2, 3, 9, 10, 1_000_000].map((n) => releaseBackOffMs(n, now, null, () => 0))
    expect(waits).toEqual([1, 2, 4, 256, 300, 300].map((seconds) => seconds * SECOND))
  })

  test('never waits past the deadline, where at least a second is left', () => {
    fc.assert(
      fc.property(count, random, fc.integer({ min: SECOND, max: 3 * HOUR }), (count, fraction, left) => {
        expect(now + releaseBackOffMs(count, now, now + left, () => fraction)).toBeLessThanOrEqual(now + left)
      }),
    )
  })

  test('close to the deadline and past it, it is still no tight loop', () => {
    fc.assert(
      fc.property(count, random, fc.integer({ min: -HOUR, max: SECOND }), (count, fraction, left) => {
        expect(releaseBackOffMs(count, now, now + left, () => fraction)).toBeGreaterThanOrEqual(0.8 * SECOND)
      }),
    )
  })

  test('past the deadline the ordinary back-off goes on', () => {
    expect(releaseBackOffMs(10, now, now - 1, () => 0)).toBe(releaseBackOffMs(10, now, null, () => 0))
  })
})

describe('nextFailure', () => {
  const first: Failure = { class: 'transient', code: 'PROVIDER_UNAVAILABLE', count: 1, since: now }

  test('the first failure counts one, since now', () => {
    expect(nextFailure(null, { class: 'transient', code: 'PROVIDER_UNAVAILABLE' }, now)).toEqual(first)
  })

  test('the same again counts on and keeps since', () => {
    const second = nextFailure(first, { class: 'transient', code: 'PROVIDER_UNAVAILABLE' }, now + MINUTE)
    expect(second).toEqual({ ...first, count: 2 })
  })

  test.each([
    ['class', { class: 'dead_suspected', code: 'PROVIDER_UNAVAILABLE' }],
    ['code', { class: 'transient', code: 'PROVIDER_TIMEOUT' }],
  ] as const)('another %s counts on, since now', (_, failure) => {
    expect(nextFailure(first, failure, now + MINUTE)).toEqual({ ...failure, count: 2, since: now + MINUTE })
  })
})
