import { type BatchOperation, createBatcher } from '../batcher.ts'
import { DUPLICATE_KEY, failuresOf, inIdOrder } from './bulk.ts'
import type { StoredCollection, StoredDocument } from './codec.ts'
import type { Caller } from './connection.ts'
import { isDeadlock } from './errors.ts'

type Operation = BatchOperation & { readonly document: StoredDocument }

const MAX_BATCH = 500
const TRIES = 20

/**
 * Inserts documents, those that arrive together in one unordered bulk write; resolves with those that were not inserted
 * because their id or another unique key was there already.
 */
export function createInserts(
  collection: Caller<StoredCollection>,
): (documents: readonly StoredDocument[]) => Promise<StoredDocument[]> {
  const batcher = createBatcher<Operation>({
    execute: (operations) => collection.call((target) => execute(target, operations)),
    maxSize: MAX_BATCH,
  })
  return async (documents) => {
    const inserted = await Promise.all(documents.map((document) => batcher.submit({ document, key: null, name: null })))
    return documents.filter((_, i) => inserted[i] === 0)
  }
}

async function execute(collection: StoredCollection, operations: readonly Operation[]): Promise<number[]> {
  const present = new Set<Operation>()
  let left = inIdOrder(operations, ({ document }) => document._id)
  for (let tries = 1; left.length > 0; tries++) {
    try {
      await collection.insertMany(
        left.map(({ document }) => document),
        { ordered: false },
      )
      left = []
    } catch (error) {
      const failures = failuresOf(error)
      // Of two processes that insert the same unique key at once.
      const again = failures.filter(({ errmsg }) => isDeadlock(errmsg))
      const duplicates = failures.filter(({ code }) => code === DUPLICATE_KEY)
      if (again.length + duplicates.length < failures.length || tries === TRIES) throw error
      for (const { index } of duplicates) present.add(left[index]!)
      left = again.map(({ index }) => left[index]!)
    }
  }
  return operations.map((operation) => (present.has(operation) ? 0 : 1))
}
