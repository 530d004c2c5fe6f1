import { CodedError } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import { storeConformance } from '@tokenkeeper/store/conformance'
import { createDatabase, type Database } from '../src/store/database.ts'
import { createMemoryStore } from '../src/store/memory-store.ts'

/** A handle whose calls arrive, and become durable, at once. */
function openHandle(database: Database): Store {
  let closed = false
  const refuseIfClosed = () => {
    if (closed) throw new CodedError('STORE_UNAVAILABLE')
  }
  return createMemoryStore({
    async read(_name, query) {
      refuseIfClosed()
      return query(database.majority)
    },
    async write(about, change) {
      refuseIfClosed()
      const result = database.apply(about, change, () => {})
      database.replicate()
      return result
    },
    async close() {
      closed = true
    },
  })
}

storeConformance('The store of the simulation', async () => {
  const database = createDatabase()
  return {
    store: openHandle(database),
    openSecond: async () => openHandle(database),
    async [Symbol.asyncDispose]() {},
  }
})
