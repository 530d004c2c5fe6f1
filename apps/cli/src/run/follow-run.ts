import type { Clock } from '@tokenkeeper/core'
import { CodedError } from '@tokenkeeper/core'
import type { Run, Store } from '@tokenkeeper/store'

const LOOK_EVERY_MS = 100

/** Waits until a run has ended; null if the signal comes first. */
export async function followRun(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  runId: string,
  signal: AbortSignal,
): Promise<Run | null> {
  while (!signal.aborted) {
    const run = await store.runs.get(runId)
    if (run === null) throw new CodedError('INTERNAL', { internal: `run ${runId} is gone` })
    if (run.finishedAt !== null) return run
    await clock.sleep(LOOK_EVERY_MS, signal)
  }
  return null
}
