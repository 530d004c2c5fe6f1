import type { mongo, Schema } from 'mongoose'
import type { EntryStore } from '../store.ts'
import { createCodec, type Found, type StoredCollection, toId } from './codec.ts'
import type { Connection } from './connection.ts'
import { createInserts } from './inserts.ts'
import { createPrune } from './prune.ts'
import { createScan } from './scan.ts'

/** A filter on the time makes also those servers use the index that do not for an order alone. */
export function findNewest(
  collection: StoredCollection,
  time: string,
  filter: mongo.BSON.Document,
  limit: number,
): Found {
  return collection
    .find({ ...filter, [time]: { $gte: new Date(0) } })
    .sort({ [time]: -1, _id: -1 })
    .limit(limit)
}

/** Entries that are written once and never change: events and audit. */
export function createEntryStore<T extends { id: string }>(connection: Connection, schema: Schema): EntryStore<T> {
  const collection = connection.collection(schema.get('collection')!)
  const codec = createCodec<T>(schema)
  const insert = createInserts(collection)
  return {
    ...createScan(collection, codec),
    ...createPrune(collection, 'at'),
    async insert(entries) {
      if (entries.length > 0) await collection.run(() => insert(entries.map(codec.toDocument)))
    },
    list: ({ accountId, limit }) =>
      collection.run(async (target) => {
        const filter = accountId === undefined ? {} : { accountId: toId(accountId) }
        return (await findNewest(target, 'at', filter, limit).toArray()).map(codec.fromDocument)
      }),
  }
}
