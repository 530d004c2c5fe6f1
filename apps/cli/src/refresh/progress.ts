import { SECOND } from '@tokenkeeper/core'
import { type LocalDeps, runProgress } from '@tokenkeeper/queue'
import type { Run, Store } from '@tokenkeeper/store'
import type { Output } from '../output.ts'

/** Shows on a terminal how far a run is, until the signal comes. Never rejects. */
export async function showProgress(
  deps: Pick<LocalDeps, 'store' | 'clock'>,
  { id, filter }: Pick<Run, 'id' | 'filter'>,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  if (!process.stderr.isTTY) return
  using bar = output.progress('refreshing')
  while (!signal.aborted) {
    try {
      const run = await deps.store.runs.get(id)
      if (run !== null) bar.update(await runProgress(deps, run), await countAccounts(deps.store, filter))
    } catch {
      // Who carries out the run, or follows it, meets the same trouble and tells it.
    }
    await deps.clock.sleep(SECOND, signal)
  }
}

/** A run looks at all accounts of its platforms, also at those that it skips. */
async function countAccounts({ accounts }: Store, { platforms }: Run['filter']): Promise<number> {
  const counts = await Promise.all(
    (platforms ?? [undefined]).map((platform) => accounts.count(platform ? { platform } : {})),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}
