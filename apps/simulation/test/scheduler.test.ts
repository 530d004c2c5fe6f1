import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createScheduler } from '../src/scheduler.ts'

test('events happen by their times, and by their order where these are the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 9 })), async (waits) => {
      const scheduler = createScheduler(100)
      const seen: [at: number, i: number][] = []
      for (const [i, ms] of waits.entries()) scheduler.in(ms, () => seen.push([scheduler.now(), i]))
      while (scheduler.nextAt() < Number.POSITIVE_INFINITY) await scheduler.step()
      const expected = waits
        .map((ms, i): [number, number] => [100 + ms, i])
        .toSorted((a, b) => a[0] - b[0] || a[1] - b[1])
      expect(seen).toEqual(expected)
    }),
  )
})

test('a step ends when all that follows from it without another event has happened', async () => {
  const scheduler = createScheduler(0)
  const seen: string[] = []
  scheduler.in(1, () => {
    void (async () => {
      for (let i = 0; i < 50; i++) await null
      scheduler.soon(() => seen.push('at its end'))
      await Promise.all([null, (async () => seen.push('in a promise'))()])
    })()
  })
  scheduler.in(1, () => seen.push('next'))
  await scheduler.step()
  expect(seen).toEqual(['in a promise', 'at its end'])
  await scheduler.step()
  expect(seen.at(-1)).toBe('next')
})

test('time does not wait for what was called off or has become void', async () => {
  const scheduler = createScheduler(0)
  let isVoid = false
  const callOff = scheduler.in(5, () => {})
  scheduler.in(
    7,
    () => {},
    () => isVoid,
  )
  scheduler.in(9, () => {})
  expect(scheduler.nextAt()).toBe(5)
  callOff()
  expect(scheduler.nextAt()).toBe(7)
  isVoid = true
  expect(scheduler.nextAt()).toBe(9)
  await scheduler.step()
  expect([scheduler.now(), scheduler.nextAt()]).toEqual([9, Number.POSITIVE_INFINITY])
})
