import type { mongo } from 'mongoose'
import type { Scannable } from '../store.ts'
import { type Codec, type Found, LEAST_ID, type StoredCollection, type StoredDocument, toId } from './codec.ts'
import type { Caller } from './connection.ts'

/** Ids that are texts come before ObjectIds, and a comparison with a text finds texts alone. */
export function findScanned(collection: StoredCollection, afterId: string | null, limit: number): Found {
  const after = afterId === null ? null : toId(afterId)
  const beyond = { _id: { $gt: after } } as mongo.Filter<StoredDocument>
  const filter =
    after === null ? {} : typeof after === 'string' ? { $or: [beyond, { _id: { $gte: LEAST_ID } }] } : beyond
  return collection.find(filter).sort({ _id: 1 }).hint('_id_').limit(limit)
}

export function createScan<T>({ run }: Caller<StoredCollection>, { fromDocument }: Codec<T>): Scannable<T> {
  return {
    scan: ({ afterId, limit }) =>
      run(async (collection) => (await findScanned(collection, afterId, limit).toArray()).map(fromDocument)),
    getMany: (ids) =>
      run(async (collection) => (await collection.find({ _id: { $in: ids.map(toId) } }).toArray()).map(fromDocument)),
  }
}
