import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { add, type Batch, type BatchResult, NO_RESULT } from '../batch.ts'

const BATCH_SIZE = 250

/** Runs the batches on all cores; the results come in their order, whichever thread had them. */
export async function runBatches(
  batches: readonly Batch[],
  onResult: (result: BatchResult) => void = () => {},
): Promise<BatchResult[]> {
  const results: BatchResult[] = []
  const rest = batches.entries()
  async function lane(): Promise<void> {
    const worker = new Worker(new URL('thread.ts', import.meta.url))
    try {
      for (const [i, batch] of rest) {
        worker.postMessage(batch)
        // A thread that throws rejects here.
        const [result] = (await once(worker, 'message')) as [BatchResult]
        results[i] = result
        onResult(result)
      }
    } finally {
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: Math.min(batches.length, availableParallelism()) }, lane))
  return results
}

/** Runs the schedules of so many seeds, on all cores. */
export async function runSchedules(
  { seed, runs, without }: Batch,
  onProgress: (done: number) => void = () => {},
): Promise<BatchResult> {
  const batches = Array.from({ length: Math.ceil(runs / BATCH_SIZE) }, (_, i): Batch => {
    const first = i * BATCH_SIZE
    return { seed: seed + first, runs: Math.min(BATCH_SIZE, runs - first), ...(without !== undefined && { without }) }
  })
  let done = 0
  const results = await runBatches(batches, (result) => {
    done += result.runs
    onProgress(done)
  })
  return results.reduce(add, NO_RESULT)
}
