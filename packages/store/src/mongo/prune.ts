import type { Prunable } from '../store.ts'
import type { Found, StoredCollection } from './codec.ts'
import type { Caller } from './connection.ts'

export function findOldest(collection: StoredCollection, time: string, before: number, limit: number): Found {
  return collection
    .find({ [time]: { $lt: new Date(before) } })
    .sort({ [time]: 1 })
    .limit(limit)
}

export function createPrune({ run }: Caller<StoredCollection>, time: string): Prunable {
  return {
    prune: ({ before, limit }) =>
      run(async (collection) => {
        const oldest = await findOldest(collection, time, before, limit).project({ _id: 1 }).toArray()
        if (oldest.length === 0) return 0
        const { deletedCount } = await collection.deleteMany({
          _id: { $in: oldest.map(({ _id }) => _id) },
          [time]: { $lt: new Date(before) },
        })
        return deletedCount
      }),
  }
}
