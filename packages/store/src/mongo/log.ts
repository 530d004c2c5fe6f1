import type { AttemptOutcome, RefreshLogEntry } from '@tokenkeeper/core'
import type { mongo } from 'mongoose'
import type { LogStore } from '../store.ts'
import { inIdOrder } from './bulk.ts'
import { createCodec, type StoredCollection, type StoredDocument, toId } from './codec.ts'
import type { Connection } from './connection.ts'
import { findNewest } from './entries.ts'
import { createInserts } from './inserts.ts'
import { createScan } from './scan.ts'
import { logSchema } from './schemas.ts'

/** What others said of an attempt; its own verdict is stronger, and `refreshed` the strongest. */
const WEAKEST: readonly AttemptOutcome[] = ['interrupted', 'superseded', 'removed']

function isWeakerThan(outcome: AttemptOutcome): mongo.BSON.Document {
  if (outcome === 'refreshed') return { $ne: 'refreshed' }
  return { $in: WEAKEST.includes(outcome) ? [] : WEAKEST }
}

/** Each compares and replaces at once, so that their order does not matter. */
async function replaceWeaker(log: StoredCollection, documents: readonly StoredDocument[]): Promise<void> {
  const replacements = documents.map(({ _id, ...replacement }) => ({
    replaceOne: { filter: { _id, outcome: isWeakerThan(replacement.outcome) }, replacement },
  }))
  if (replacements.length > 0)
    await log.bulkWrite(
      inIdOrder(replacements, ({ replaceOne }) => replaceOne.filter._id),
      { ordered: false },
    )
}

export function createLogStore(connection: Connection): LogStore {
  const collection = connection.collection('refresh_log')
  const codec = createCodec<RefreshLogEntry>(logSchema)
  const insert = createInserts(collection)

  return {
    ...createScan(collection, codec),
    async put(entries) {
      if (entries.length > 0)
        await collection.run(async (log) => replaceWeaker(log, await insert(entries.map(codec.toDocument))))
    },
    get: (id) =>
      collection.run(async (log) => {
        const document = await log.findOne({ _id: toId(id) })
        return document && codec.fromDocument(document)
      }),
    list: ({ accountId, success, limit }) =>
      collection.run(async (log) => {
        const filter = {
          ...(accountId !== undefined && { accountId: toId(accountId) }),
          ...(success !== undefined && { success }),
        }
        const cursor = findNewest(log, 'refreshedAt', filter, limit)
        return (await cursor.toArray()).map(codec.fromDocument)
      }),
    async removeAccount(accountId) {
      await collection.run((log) => log.deleteMany({ accountId: toId(accountId) }))
    },
  }
}
