import { createRequire } from 'node:module'
import { makeId } from '@tokenkeeper/core'
import type { MongoServer } from '@tokenkeeper/testkit'

/** What is used of the driver, which is a dependency of the store package alone. */
interface Driver {
  MongoClient: new (url: string) => { db(): Database; close(): Promise<void> }
  ObjectId: new (id: string) => object
}
interface Database {
  collection(name: string): { find(filter: object): { toArray(): Promise<Record<string, unknown>[]> } }
  dropDatabase(): Promise<unknown>
}

const fromStore = createRequire(import.meta.resolve('@tokenkeeper/store'))
const { mongo } = fromStore('mongoose') as { mongo: Driver }

/** A database of a name of its own, seen past the store and past whatever cuts the actors off; dropped on dispose. */
export interface MongoDatabase extends AsyncDisposable {
  readonly url: string
  /** What the log holds of an account. */
  logged(accountId: string): Promise<{ readonly id: string; readonly outcome: string }[]>
}

export function openMongoDatabase(server: MongoServer): MongoDatabase {
  const url = server.databaseUrl(`tokenkeeper-test-${makeId()}`)
  const client = new mongo.MongoClient(url)
  const db = client.db()
  return {
    url,
    async logged(accountId) {
      const entries = await db
        .collection('refresh_log')
        .find({ accountId: new mongo.ObjectId(accountId) })
        .toArray()
      return entries.map(({ _id, outcome }) => ({ id: String(_id), outcome: String(outcome) }))
    },
    async [Symbol.asyncDispose]() {
      await db.dropDatabase()
      await client.close()
    },
  }
}
