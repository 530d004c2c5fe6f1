import type { ApiKey } from '@tokenkeeper/core'
import type { ApiKeyStore } from '../store.ts'
import { createCodec, toId } from './codec.ts'
import type { Connection } from './connection.ts'
import { apiKeySchema } from './schemas.ts'

export function createApiKeyStore(connection: Connection): ApiKeyStore {
  const collection = connection.collection('api_keys')
  const codec = createCodec<ApiKey>(apiKeySchema)
  return {
    async insert(key) {
      await collection.run((keys) => keys.insertOne(codec.toDocument(key)))
    },
    get: (id) =>
      collection.run(async (keys) => {
        const document = await keys.findOne({ _id: toId(id) })
        return document && codec.fromDocument(document)
      }),
    list: () =>
      collection.run(async (keys) =>
        (await keys.find().sort({ createdAt: 1, _id: 1 }).toArray()).map(codec.fromDocument),
      ),
    revoke: (id, at) =>
      collection.run(async (keys) => {
        const set = { $set: { revokedAt: codec.encode('revokedAt', at) } }
        const { matchedCount } = await keys.updateOne({ _id: toId(id), revokedAt: null }, set)
        return matchedCount > 0
      }),
  }
}
