import { type Clock, HOUR, SECOND } from '@tokenkeeper/core'
import type { Prunable } from '@tokenkeeper/store'
import type { WorkerDeps } from './deps.ts'

/** How many go in one write: the store's one writer is busy with them for some milliseconds, and commits wait behind. */
const BATCH = 200
/** Between two batches, for the writes of other processes. */
const PAUSE_MS = 20
const EVERY_MS = HOUR
/** What is left after this long waits for the next call, so that closing never waits longer. */
const LONGEST_MS = 10 * SECOND

type RetentionDeps = Pick<WorkerDeps, 'store' | 'clock' | 'settings'>

/** Returns what throws away what is older than the settings say: once an hour, or again when called if it did not finish. */
export function createRetention(deps: RetentionDeps): () => Promise<number> {
  const { clock } = deps
  let nextAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (clock.monotonic() < nextAt) return 0
    const { pruned, finished } = await prune(deps)
    if (finished) nextAt = clock.monotonic() + EVERY_MS
    return pruned
  }
}

/** In batches, so that commits go on between them. */
export async function prune({ store, clock, settings }: RetentionDeps): Promise<{ pruned: number; finished: boolean }> {
  const until = clock.monotonic() + LONGEST_MS
  const kinds: readonly (readonly [Prunable, keepMs: number])[] = [
    [store.log, settings.keepMs.log],
    [store.events, settings.keepMs.events],
    [store.runs, settings.keepMs.runs],
    [store.audit, settings.keepMs.audit],
  ]
  let pruned = 0
  for (const [kind, keepMs] of kinds) {
    for await (const count of batches(kind, clock.now() - keepMs, clock)) {
      pruned += count
      if (clock.monotonic() >= until) return { pruned, finished: false }
    }
  }
  return { pruned, finished: true }
}

async function* batches(kind: Prunable, before: number, clock: Clock): AsyncGenerator<number> {
  while (true) {
    const count = await kind.prune({ before, limit: BATCH })
    yield count
    if (count < BATCH) return
    await clock.sleep(PAUSE_MS)
  }
}
