import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY, HOUR, priorityByTimeLeft } from '../src/index.ts'

const now = Date.UTC(2026, 10, 22)
const LAST = 2 ** 21 - 1

test.each([
  ['dead already', -DAY, 1],
  ['dying now', 0, 1],
  ['within the hour', HOUR - 1, 1],
  ['in an hour', HOUR, 2],
  ['in 60 days', 60 * DAY, 60 * 24 + 1],
  ['in a thousand years', 365_000 * DAY, LAST],
])('%s', (_, left, priority) => {
  expect(priorityByTimeLeft(now + left, now)).toBe(priority)
})

test('an unknown end comes last', () => {
  expect(priorityByTimeLeft(null, now)).toBe(LAST)
})

test('stays within the bounds of BullMQ, and who dies sooner never comes later', () => {
  const left = fc.integer({ min: -1_000 * DAY, max: 1_000_000 * DAY })
  fc.assert(
    fc.property(left, left, (a, b) => {
      const sooner = priorityByTimeLeft(now + Math.min(a, b), now)
      const later = priorityByTimeLeft(now + Math.max(a, b), now)
      expect(sooner).toBeLessThanOrEqual(later)
      expect(sooner).toBeGreaterThanOrEqual(1)
      expect(later).toBeLessThanOrEqual(LAST)
      expect(sooner).toSatisfy(Number.isSafeInteger)
    }),
  )
})
