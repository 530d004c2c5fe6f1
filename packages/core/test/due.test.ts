import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY, DEFAULT_DUE_POLICY, type DuePolicy, HOUR, idFrom, nextDueAt, stableFraction } from '../src/index.ts'

const AT = Date.UTC(2026, 10, 22)
const policy = DEFAULT_DUE_POLICY

const id = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 24, maxLength: 24 })
const kind = fc.constantFrom('extend' as const, 'grace' as const)
const time = fc.integer({ min: 0, max: Date.UTC(2100, 0) })
const life = fc.integer({ min: HOUR + 1, max: 400 * DAY })
const anyPolicy: fc.Arbitrary<DuePolicy> = fc.record({
  thresholdMs: fc.integer({ min: 0, max: 90 * DAY }),
  rotateEveryMs: fc.integer({ min: 2 * HOUR, max: 90 * DAY }),
  spreadMs: fc.integer({ min: 0, max: 30 * DAY }),
})

/** The due time without any spread. */
function undispersed(account: Parameters<typeof nextDueAt>[0], at: number, by: DuePolicy): number {
  return nextDueAt(account, at, { ...by, spreadMs: 0 })
}

describe('nextDueAt', () => {
  test('never lies past the death, nor within the hour, whatever the policy', () => {
    fc.assert(
      fc.property(id, kind, time, life, anyPolicy, (id, kind, at, life, policy) => {
        const diesAt = at + life
        const due = nextDueAt({ id, kind, diesAt }, at, policy)
        expect(due).toBeLessThan(diesAt)
        expect(due).toBeGreaterThanOrEqual(at + HOUR)
      }),
    )
  })

  test('is a whole number of milliseconds and the same for the same account', () => {
    fc.assert(
      fc.property(id, kind, time, fc.option(life), anyPolicy, (id, kind, at, life, policy) => {
        const account = { id, kind, diesAt: life === null ? null : at + life }
        const due = nextDueAt(account, at, policy)
        expect(due).toSatisfy(Number.isSafeInteger)
        expect(nextDueAt({ ...account }, at, { ...policy })).toBe(due)
      }),
    )
  })

  test('the spread only brings forward, and by no more than it may', () => {
    const regular = fc.integer({ min: 12 * DAY, max: 400 * DAY })
    fc.assert(
      fc.property(id, kind, time, fc.option(regular), (id, kind, at, life) => {
        const account = { id, kind, diesAt: life === null ? null : at + life }
        const due = nextDueAt(account, at, policy)
        const latest = undispersed(account, at, policy)
        expect(due).toBeLessThanOrEqual(latest)
        expect(due).toBeGreaterThan(latest - policy.spreadMs - 1)
      }),
    )
  })

  test('a token of 60 days falls due within the 48 hours before its last week', () => {
    fc.assert(
      fc.property(id, time, (id, at) => {
        const diesAt = at + 60 * DAY
        const due = nextDueAt({ id, kind: 'extend', diesAt }, at, policy)
        expect(due).toBeGreaterThanOrEqual(diesAt - 7 * DAY - 48 * HOUR)
        expect(due).toBeLessThanOrEqual(diesAt - 7 * DAY)
      }),
    )
  })

  test('a session that rotates falls due 5 to 7 days after its refresh, its end known or not', () => {
    fc.assert(
      fc.property(id, time, fc.constantFrom(90 * DAY, null), (id, at, life) => {
        const diesAt = life === null ? null : at + life
        const due = nextDueAt({ id, kind: 'grace', diesAt }, at, policy)
        expect(due).toBeGreaterThanOrEqual(at + 5 * DAY)
        expect(due).toBeLessThanOrEqual(at + 7 * DAY)
      }),
    )
  })

  test('a token of unknown end is looked at 5 to 7 days later', () => {
    fc.assert(
      fc.property(id, time, (id, at) => {
        const due = nextDueAt({ id, kind: 'extend', diesAt: null }, at, policy)
        expect(due).toBeGreaterThanOrEqual(at + 5 * DAY)
        expect(due).toBeLessThanOrEqual(at + 7 * DAY)
      }),
    )
  })

  test('sessions rotated every day stay due within the day, though the spread is two', () => {
    fc.assert(
      fc.property(id, time, fc.constantFrom(90 * DAY, null), (id, at, life) => {
        const diesAt = life === null ? null : at + life
        const due = nextDueAt({ id, kind: 'grace', diesAt }, at, { ...policy, rotateEveryMs: DAY })
        expect(due).toBeGreaterThanOrEqual(at + DAY / 2)
        expect(due).toBeLessThanOrEqual(at + DAY)
      }),
    )
  })

  test('a provider that never extends the token is asked seldom: fewer than 20 times before it dies', () => {
    fc.assert(
      fc.property(id, time, fc.integer({ min: DAY, max: 60 * DAY }), (id, start, life) => {
        const diesAt = start + life
        let asked = 0
        for (let at = start; at < diesAt; at = nextDueAt({ id, kind: 'extend', diesAt }, at, policy)) asked++
        expect(asked).toBeLessThan(20)
      }),
    )
  })

  test('a dead credential does not fall due at once for ever', () => {
    fc.assert(
      fc.property(id, kind, time, life, (id, kind, at, since) => {
        expect(nextDueAt({ id, kind, diesAt: at - since }, at, policy)).toBeGreaterThanOrEqual(at + HOUR)
      }),
    )
  })

  test.each([
    ['extend', 60 * DAY],
    ['grace', 90 * DAY],
  ] as const)('10,000 accounts (%s) connected in one hour spread evenly over the hours', (kind, life) => {
    const perHour = new Map<number, number>()
    for (let n = 0; n < 10_000; n++) {
      const at = AT + Math.floor((n * HOUR) / 10_000)
      const hour = Math.floor(
        nextDueAt({ id: idFrom('spread', String(n)), kind, diesAt: at + life }, at, policy) / HOUR,
      )
      perHour.set(hour, (perHour.get(hour) ?? 0) + 1)
    }
    // 48 hours, and one more that the hour of connecting smears over both ends.
    expect(perHour.size).toBe(49)
    const mean = 10_000 / 48
    expect(Math.max(...perHour.values()) / mean).toBeLessThan(1.25)
  })
})

test('stableFraction is in [0, 1), and differs from id to id', () => {
  fc.assert(
    fc.property(fc.string(), (id) => {
      const fraction = stableFraction(id)
      expect(fraction).toBeGreaterThanOrEqual(0)
      expect(fraction).toBeLessThan(1)
    }),
  )
  const fractions = Array.from({ length: 1_000 }, (_, n) => stableFraction(String(n)))
  expect(new Set(fractions).size).toBe(1_000)
})
