import { createRequire } from 'node:module'
import { makeId } from '@tokenkeeper/core'
import {
  type MongoProcess,
  type MongoProxy,
  startMongo,
  startMongoProcess,
  startMongoProxy,
} from '@tokenkeeper/testkit'
import type { Database, Outage } from './database.ts'

/** What is used of the driver, which is a dependency of the store package alone. */
interface Driver {
  MongoClient: new (url: string) => { db(): { dropDatabase(): Promise<unknown> }; close(): Promise<void> }
}

/**
 * A database of a name of its own, reached by the product through a proxy that cuts it off, on a server of our own
 * where one can be started, so that it can be killed.
 */
export async function createMongoDatabase(): Promise<Database> {
  await using stack = new AsyncDisposableStack()
  const own = await startMongoProcess()
  const server = own ?? (await startMongo())
  if (!server) throw new Error('There is no MongoDB: set MONGODB_URI, or have mongod on the PATH')
  stack.use(server)
  const url = server.databaseUrl(`tokenkeeper-chaos-${makeId()}`)
  stack.defer(() => drop(url))
  const proxy = stack.use(await startMongoProxy(url))
  const rest = stack.move()
  return {
    url,
    fleetUrl: proxy.url,
    outages: [...(own ? [killed(own)] : []), refused(proxy), muted(proxy)],
    [Symbol.asyncDispose]: () => rest.disposeAsync() as Promise<void>,
  }
}

function killed(server: MongoProcess): Outage {
  return {
    name: 'killed',
    async begin() {
      await server.kill()
      let started: Promise<void> | undefined
      return () => {
        started ??= server.start()
        return started
      }
    },
  }
}

function refused(proxy: MongoProxy): Outage {
  return {
    name: 'connections refused',
    async begin() {
      await proxy.refuse()
      return () => proxy.restore()
    },
  }
}

function muted(proxy: MongoProxy): Outage {
  return {
    name: 'answers lost',
    async begin() {
      proxy.mute()
      return () => proxy.restore()
    },
  }
}

async function drop(url: string): Promise<void> {
  const { mongo } = createRequire(import.meta.resolve('@tokenkeeper/store'))('mongoose') as { mongo: Driver }
  const client = new mongo.MongoClient(url)
  await client.db().dropDatabase()
  await client.close()
}
