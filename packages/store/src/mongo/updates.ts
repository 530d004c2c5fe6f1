import { type Hook, noHook } from '@tokenkeeper/core'
import { mongo } from 'mongoose'
import { type BatchOperation, createBatcher } from '../batcher.ts'
import { inIdOrder } from './bulk.ts'
import { type StoredCollection, toId } from './codec.ts'
import type { Caller } from './connection.ts'

/** A compare-and-set on one document. */
export interface DocumentUpdate {
  readonly id: string
  /** The protocol's name of the write, if it has one. */
  readonly name: string | null
  /** All must hold. */
  readonly terms: readonly mongo.BSON.Document[]
  /** For a `$set` stage. */
  readonly fields: mongo.BSON.Document
}

type Operation = DocumentUpdate & BatchOperation

interface UpdateOptions {
  /** At the end of every update. */
  readonly lastStages?: readonly mongo.BSON.Document[]
  readonly hook?: Hook
}

const MAX_BATCH = 500

/**
 * Carries out updates, those that arrive together in one unordered bulk write; the result tells whether one is known
 * to have matched.
 */
export function createUpdates(
  collection: Caller<StoredCollection>,
  { lastStages = [], hook = noHook }: UpdateOptions = {},
): (update: DocumentUpdate) => Promise<boolean> {
  const batcher = createBatcher<Operation>({
    execute: (operations) => collection.call((target) => execute(target, operations, lastStages)),
    maxSize: MAX_BATCH,
    hook,
  })
  return async (update) => (await batcher.submit({ ...update, key: update.id })) > 0
}

/**
 * A bulk write tells only how many matched. So each update leaves a stamp; where fewer matched than were sent, one read
 * tells whose stamps stand. One that matched and was overwritten since counts as not known to have matched.
 */
async function execute(
  collection: StoredCollection,
  operations: readonly Operation[],
  lastStages: readonly mongo.BSON.Document[],
): Promise<number[]> {
  const stamps = operations.map(() => new mongo.ObjectId())
  const updates = operations.map(({ id, terms, fields }, i) => ({
    updateOne: {
      filter: { _id: toId(id), ...(terms.length > 0 && { $and: [...terms] }) },
      update: [{ $set: { ...fields, writeId: stamps[i] } }, ...lastStages],
    },
  }))
  const sorted = inIdOrder(updates, ({ updateOne }) => updateOne.filter._id)
  const { matchedCount } = await collection.bulkWrite(sorted, { ordered: false })
  if (matchedCount === operations.length) return operations.map(() => 1)
  if (matchedCount === 0) return operations.map(() => 0)
  const standing = await collection
    .find({ _id: { $in: updates.map(({ updateOne }) => updateOne.filter._id) } })
    .project<{ writeId?: mongo.ObjectId }>({ writeId: 1 })
    .toArray()
  const found = new Set(standing.map(({ writeId }) => writeId?.toHexString()))
  return stamps.map((stamp) => (found.has(stamp.toHexString()) ? 1 : 0))
}
