import { type Clock, SECOND } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'

const LOOK_EVERY_MS = 100
const MANY = 1_000

interface FollowDeps {
  readonly store: Store
  readonly clock: Clock
}

/**
 * Waits until the Pages of all active accounts are fetched. Resolves with how many accounts are still behind after
 * `withinMs`, or when the signal comes.
 */
export async function followPages(
  { store, clock }: FollowDeps,
  signal: AbortSignal,
  withinMs = 30 * SECOND,
): Promise<number> {
  const deadline = clock.monotonic() + withinMs
  for (;;) {
    const accounts = await store.accounts.list({ platform: 'meta', statusIn: ['active'], afterId: null, limit: MANY })
    const behind = accounts.filter(({ pagesDueAt }) => pagesDueAt !== null).length
    if (behind === 0 || signal.aborted || clock.monotonic() >= deadline) return behind
    await clock.sleep(LOOK_EVERY_MS, signal)
  }
}
