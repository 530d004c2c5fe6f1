import type { Clock } from '@tokenkeeper/core'

/** How often the write of a login is tried before the caller is told that the store is away. */
export const WRITE_TRIES = 10

export function pauseAfter(tries: number, clock: Clock): Promise<void> {
  return clock.sleep(50 * 2 ** Math.min(tries, 5))
}
