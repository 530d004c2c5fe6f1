import type { Clock } from './clock.ts'

/**
 * What the promise yields if it settles within `ms`, else what `onLate` returns or throws. The work itself goes on, and
 * nobody hears of its failure any more.
 */
export async function within<T, Late = T>(
  clock: Pick<Clock, 'sleep'>,
  ms: number,
  promise: Promise<T>,
  onLate: () => Late,
): Promise<T | Late> {
  const settled = new AbortController()
  // Ending the sleep ends it early: by then the race is decided.
  const late = clock.sleep(ms, settled.signal).then<T | Late>(() => (settled.signal.aborted ? promise : onLate()))
  try {
    return await Promise.race([promise, late])
  } finally {
    // With a reason, so that none is made up: that would be an error, with its stack.
    settled.abort('settled')
  }
}
