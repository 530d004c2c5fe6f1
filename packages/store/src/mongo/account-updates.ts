import type { Hook } from '@tokenkeeper/core'
import { mongo } from 'mongoose'
import { type BatchOperation, createBatcher } from '../batcher.ts'
import { inIdOrder } from './bulk.ts'
import { INDEXED_FIELDS_STAGE } from './change.ts'
import { type StoredCollection, toId } from './codec.ts'
import type { Caller } from './connection.ts'

/** A compare-and-set on one account document. */
export interface AccountUpdate {
  readonly accountId: string
  readonly name: string | null
  /** All must hold. */
  readonly terms: readonly mongo.BSON.Document[]
  /** For a `$set` stage. */
  readonly fields: mongo.BSON.Document
}

type Operation = AccountUpdate & BatchOperation

const MAX_BATCH = 500

/**
 * Carries out updates, those that arrive together in one unordered bulk write; the result tells whether one is known
 * to have matched.
 */
export function createAccountUpdates(
  accounts: Caller<StoredCollection>,
  hook: Hook,
): (update: AccountUpdate) => Promise<boolean> {
  const batcher = createBatcher<Operation>({
    execute: (operations) => accounts.call((collection) => execute(collection, operations)),
    maxSize: MAX_BATCH,
    hook,
  })
  return async (update) => (await batcher.submit({ ...update, key: update.accountId })) > 0
}

/**
 * A bulk write tells only how many matched. So each update leaves a stamp; where fewer matched than were sent, one read
 * tells whose stamps stand. One that matched and was overwritten since counts as not known to have matched.
 */
async function execute(accounts: StoredCollection, operations: readonly Operation[]): Promise<number[]> {
  const stamps = operations.map(() => new mongo.ObjectId())
  const updates = operations.map(({ accountId, terms, fields }, i) => ({
    updateOne: {
      filter: { _id: toId(accountId), ...(terms.length > 0 && { $and: [...terms] }) },
      update: [{ $set: { ...fields, writeId: stamps[i] } }, INDEXED_FIELDS_STAGE],
    },
  }))
  const sorted = inIdOrder(updates, ({ updateOne }) => updateOne.filter._id)
  const { matchedCount } = await accounts.bulkWrite(sorted, { ordered: false })
  if (matchedCount === operations.length) return operations.map(() => 1)
  if (matchedCount === 0) return operations.map(() => 0)
  const standing = await accounts
    .find({ _id: { $in: updates.map(({ updateOne }) => updateOne.filter._id) } })
    .project<{ writeId?: mongo.ObjectId }>({ writeId: 1 })
    .toArray()
  const found = new Set(standing.map(({ writeId }) => writeId?.toHexString()))
  return stamps.map((stamp) => (found.has(stamp.toHexString()) ? 1 : 0))
}
