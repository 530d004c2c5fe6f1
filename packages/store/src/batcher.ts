import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Hook, noHook } from '@tokenkeeper/core'

/** What a batch is made of. */
export interface BatchOperation {
  /** Two operations with the same key never share a batch and keep their order; null shares with all. */
  readonly key: string | null
  /** The protocol's name of a write, for its kill points; null for all else. */
  readonly name: string | null
}

export interface Batcher<Operation extends BatchOperation> {
  /**
   * Resolves, once the batch is durable, with how many rows or documents this operation changed. Rejects with the
   * error of the batch, or of this operation alone, which leaves unknown whether the operation was applied.
   */
  submit(operation: Operation): Promise<number>
  /** Resolves when nothing waits and nothing runs. */
  drain(): Promise<void>
}

export interface BatcherOptions<Operation> {
  /** Carries the operations out and makes them durable; one result for each. Runs one batch at a time. */
  execute(operations: readonly Operation[]): Promise<readonly number[]>
  readonly maxSize: number
  /**
   * Is an error the fault of some operation and not of the store, and has nothing of the batch been applied? Then the
   * others are carried out without it.
   */
  readonly isOfOne?: (error: unknown) => boolean
  readonly hook?: Hook
}

interface Pending<Operation> {
  readonly operation: Operation
  readonly resolve: (changed: number) => void
  readonly reject: (error: unknown) => void
}

/**
 * Group commit. A batch takes what was submitted in one turn of the event loop and while the batch before it was being
 * written. So batches grow with the load and with the slowness of the disk, and a lone write waits for no timer.
 */
export function createBatcher<Operation extends BatchOperation>(
  options: BatcherOptions<Operation>,
): Batcher<Operation> {
  const hook = options.hook ?? noHook
  let queue: Pending<Operation>[] = []
  let running: Promise<void> | null = null

  async function run(): Promise<void> {
    while (queue.length > 0) {
      await nextTurn()
      await carryOut(takeBatch())
    }
    running = null
  }

  async function carryOut(batch: readonly Pending<Operation>[]): Promise<void> {
    try {
      const results = await options.execute(batch.map((pending) => pending.operation))
      if (hook === noHook) batch.forEach((pending, i) => void pending.resolve(results[i]!))
      else void acknowledgeThrough(hook, batch, results)
    } catch (error) {
      if (batch.length > 1 && options.isOfOne?.(error)) {
        const half = Math.ceil(batch.length / 2)
        await carryOut(batch.slice(0, half))
        await carryOut(batch.slice(half))
      } else {
        for (const pending of batch) pending.reject(error)
      }
    }
  }

  function takeBatch(): Pending<Operation>[] {
    const batch: Pending<Operation>[] = []
    const rest: Pending<Operation>[] = []
    const keys = new Set<string>()
    for (const pending of queue) {
      const { key } = pending.operation
      const fits = batch.length < options.maxSize && (key === null || !keys.has(key))
      ;(fits ? batch : rest).push(pending)
      if (key !== null) keys.add(key)
    }
    queue = rest
    return batch
  }

  return {
    submit: (operation) =>
      new Promise((resolve, reject) => {
        queue.push({ operation, resolve, reject })
        running ??= run()
      }),
    async drain() {
      while (running) await running
    },
  }
}

/**
 * Passes the kill points between a write and its acknowledgement. Not awaited by the batcher: a hook that never
 * returns plays a dead process and must not stop the others.
 */
async function acknowledgeThrough<Operation extends BatchOperation>(
  hook: Hook,
  batch: readonly Pending<Operation>[],
  results: readonly number[],
): Promise<void> {
  const acknowledge = async (pending: Pending<Operation>, i: number) => {
    const { name, key } = pending.operation
    const changed = results[i]!
    try {
      if (name !== null && changed > 0) await hook(`${name}.applied-before-ack`, key ?? '')
      pending.resolve(changed)
    } catch (error) {
      pending.reject(error)
    }
  }
  const commit = batch.findLast((pending) => pending.operation.name === 'commit')
  const half = commit && batch.length > 1 ? Math.floor(batch.length / 2) : batch.length
  await Promise.all(batch.slice(0, half).map(acknowledge))
  if (half === batch.length) return
  try {
    await nextTurn() // lets those acknowledged go on
    await hook('commit.batch-half-resolved', commit?.operation.key ?? '')
    batch.slice(half).forEach((pending, i) => void acknowledge(pending, half + i))
  } catch (error) {
    for (const pending of batch.slice(half)) pending.reject(error)
  }
}
