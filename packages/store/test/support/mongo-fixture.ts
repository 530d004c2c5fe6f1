import { makeId } from '@tokenkeeper/core'
import type { MongoServer } from '@tokenkeeper/testkit'
import { mongo } from 'mongoose'
import type { StoreFixture } from '../../src/conformance/fixture.ts'
import { createMongoStore, type MongoStoreOptions } from '../../src/mongo/index.ts'

export interface MongoDatabase extends AsyncDisposable {
  readonly url: string
  /** The database past the store. */
  readonly db: mongo.Db
}

export interface MongoFixture extends StoreFixture {
  readonly url: string
  readonly db: mongo.Db
}

/** A database of a name of its own, dropped on dispose. */
export async function openDatabase(server: MongoServer): Promise<MongoDatabase> {
  const url = server.databaseUrl(`tokenkeeper-test-${makeId()}`)
  const client = new mongo.MongoClient(url)
  return {
    url,
    db: client.db(),
    async [Symbol.asyncDispose]() {
      await client.db().dropDatabase()
      await client.close()
    },
  }
}

/** A store on this database, emptied: that takes less time than a new one. */
export async function openMongoFixture(
  { url, db }: MongoDatabase,
  options: Omit<MongoStoreOptions, 'url'> = {},
): Promise<MongoFixture> {
  const store = await createMongoStore({ url, ...options })
  const collections = await db.collections()
  await Promise.all(
    collections
      .filter(({ collectionName }) => collectionName !== 'meta')
      .map((collection) => collection.deleteMany({})),
  )
  const opened = [store]
  return {
    store,
    url,
    db,
    async openSecond() {
      const second = await createMongoStore({ url, ...options })
      opened.push(second)
      return second
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((one) => one[Symbol.asyncDispose]()))
    },
  }
}
