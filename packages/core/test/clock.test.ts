import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { DAY, systemClock } from '../src/index.ts'

describe('systemClock.sleep', () => {
  test('lasts as long as asked', async () => {
    const start = systemClock.monotonic()
    await systemClock.sleep(30)
    // Node's timers count whole milliseconds and may fire a fraction early.
    expect(systemClock.monotonic() - start).toBeGreaterThanOrEqual(29)
  })

  test('ends when the signal aborts, without rejecting', async () => {
    const stop = new AbortController()
    const sleeping = systemClock.sleep(DAY, stop.signal)
    stop.abort(new Error('shutdown'))
    await expect(sleeping).resolves.toBeUndefined()
  })

  test('does not begin when the signal has aborted', async () => {
    await expect(systemClock.sleep(DAY, AbortSignal.abort())).resolves.toBeUndefined()
  })

  test('leaves no listener behind on a signal that outlives it', async () => {
    const stop = new AbortController()
    await systemClock.sleep(1, stop.signal)
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
  })

  test('more than a timer can hold is a long sleep, not none', async () => {
    const stop = new AbortController()
    const winner = await Promise.race([
      systemClock.sleep(60 * DAY, stop.signal).then(() => 'long'),
      systemClock.sleep(30).then(() => 'short'),
    ])
    stop.abort()
    expect(winner).toBe('short')
  })
})
