import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { makeId } from '@tokenkeeper/core'
import { startMongo } from '@tokenkeeper/testkit'
import { mongo } from 'mongoose'

export type StoreName = 'sqlite' | 'mongo'

/** A database of its own, dropped on dispose. */
export interface Database extends AsyncDisposable {
  readonly url: string
}

/** Null if there is none of this kind on this machine. */
export async function openDatabase(store: StoreName, dir: string): Promise<Database | null> {
  if (store === 'sqlite') {
    await mkdir(dir, { recursive: true })
    return { url: `sqlite:${join(dir, 'tokenkeeper.db')}`, async [Symbol.asyncDispose]() {} }
  }
  const server = await startMongo()
  if (server === null) return null
  const url = server.databaseUrl(`tokenkeeper-bench-${makeId()}`)
  return {
    url,
    async [Symbol.asyncDispose]() {
      const client = new mongo.MongoClient(url)
      await client.db().dropDatabase()
      await client.close()
      await server[Symbol.asyncDispose]()
    },
  }
}
