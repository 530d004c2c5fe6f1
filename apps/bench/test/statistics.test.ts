import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alternate, median, percentile, ratioOf, rounded } from '../src/statistics.ts'

/** None is -0, which Math.min tells from 0 and sorting does not. */
const number = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value + 0)
const numbers = fc.array(number, { minLength: 1 })

describe('percentile', () => {
  test('the middle one, and between two in proportion', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(percentile([10, 20, 30, 40, 50], 0.9)).toBeCloseTo(46)
  })

  test('the ends are the least and the greatest, in whatever order they come', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        expect(percentile(values, 0)).toBe(Math.min(...values))
        expect(percentile(values, 1)).toBe(Math.max(...values))
      }),
    )
  })

  test('a higher share is never lower', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(numbers, share, share, (values, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a]
        expect(percentile(values, low)).toBeLessThanOrEqual(percentile(values, high) + 1e-6)
      }),
    )
  })

  test('of nothing there is none', () => {
    expect(() => median([])).toThrow(RangeError)
  })
})

describe('alternate', () => {
  test('the sides take turns, and turns at being first; the first round does not count', async () => {
    const order: string[] = []
    const side = (name: string) => async () => order.push(name)
    const rounds = await alternate(3, side('ours'), side('floor'))
    expect(order).toEqual(['ours', 'floor', 'floor', 'ours', 'ours', 'floor', 'floor', 'ours'])
    expect(rounds).toEqual({ ours: [4, 5, 8], floor: [3, 6, 7] })
  })

  test('a round that was slow for both does not move the ratio', () => {
    expect(ratioOf({ ours: [70, 7, 71], floor: [100, 10, 100] })).toBeCloseTo(0.7)
  })
})

test.each([
  [1_234.5, 1_235],
  [0.123456, 0.123],
  [12.3456, 12.3],
  [-2_000.4, -2_000],
  [0, 0],
])('%d is reported as %d', (value, figure) => {
  expect(rounded(value)).toBe(figure)
})
