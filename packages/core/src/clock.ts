/** The only source of time. Tests and simulations hand in their own. */
export interface Clock {
  /** Wall clock, ms since the epoch. Compared between machines, so never used to measure a duration. */
  now(): number
  /** Own monotonic clock, ms from an arbitrary start. */
  monotonic(): number
  /** Resolves after `ms` (24 days at most), or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Node's timers fire at once when asked for more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep,
}

/** Not the one of node:timers/promises: a refresh ends three sleeps early, and each would make two errors for nobody. */
function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, Math.min(ms, LONGEST_TIMER_MS))
    signal?.addEventListener('abort', end)
  })
}

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** The latest time (ms since the epoch) that there is: a Date holds none beyond, and MongoDB keeps times as dates. */
export const FOREVER = 8.64e15
