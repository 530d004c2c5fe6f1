import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRandom } from '../src/random.ts'

const take = (seed: number, count = 20) => {
  const random = createRandom(seed)
  return Array.from({ length: count }, random.next)
}

test('the same seed gives the same numbers, another one others', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      expect(take(seed)).toEqual(take(seed))
      expect(take(seed)).not.toEqual(take(seed + 1))
    }),
  )
})

test('first numbers of neighbouring seeds spread evenly', () => {
  const tenths = new Array(10).fill(0)
  for (let seed = 0; seed < 10_000; seed++) tenths[Math.floor(take(seed, 1)[0]! * 10)]++
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150)
})

test('durations lie in between, whatever the limits', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e8 }), (seed, from, more) => {
      const { duration } = createRandom(seed)
      for (let i = 0; i < 20; i++) {
        const ms = duration(from, from + more)
        expect(ms).toBeGreaterThanOrEqual(from)
        expect(ms).toBeLessThanOrEqual(from + more)
      }
    }),
  )
})
