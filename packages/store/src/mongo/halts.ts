import type { Halt } from '@tokenkeeper/core'
import type { HaltStore } from '../store.ts'
import { createCodec, toId } from './codec.ts'
import type { Connection } from './connection.ts'
import { createInserts } from './inserts.ts'
import { haltSchema } from './schemas.ts'

export function createHaltStore(connection: Connection): HaltStore {
  const collection = connection.collection('halts')
  const codec = createCodec<Halt>(haltSchema)
  const insert = createInserts(collection)

  return {
    insert: (halt) => collection.run(async () => (await insert([codec.toDocument(halt)])).length === 0),
    get: (id) =>
      collection.run(async (halts) => {
        const document = await halts.findOne({ _id: toId(id) })
        return document && codec.fromDocument(document)
      }),
    list: () =>
      collection.run(async (halts) =>
        (await halts.find().sort({ since: 1, _id: 1 }).toArray()).map(codec.fromDocument),
      ),
    update: (from, to) =>
      collection.run(async (halts) => {
        const { matchedCount } = await halts.replaceOne(codec.toDocument(from), codec.toDocument(to))
        return matchedCount > 0
      }),
    remove: (halt) =>
      collection.run(async (halts) => {
        const { deletedCount } = await halts.deleteOne(codec.toDocument(halt))
        return deletedCount > 0
      }),
  }
}
