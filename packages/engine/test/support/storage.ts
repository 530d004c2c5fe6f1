import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type ClockFile, createClockFile, type MongoServer, startMongoProxy, tempDir } from '@tokenkeeper/testkit'
import { databasePath, journalPath, type Scene } from './actor.ts'
import { openMongoDatabase } from './mongo-database.ts'
import { openMongoWitness, openSqliteWitness, type Witness } from './witness.ts'

export interface Storage extends AsyncDisposable {
  readonly clockFile: ClockFile
  /** What a scene says of itself but for its provider. */
  readonly scene: Pick<Scene, 'dir' | 'keys' | 'clockFile' | 'mongoUrl' | 'hosts'>
  readonly isMongo: boolean
  /** Once the database has been made by an actor, which is asked whether the store is back. */
  openWitness(ping: () => Promise<void>): Witness
}

/** A directory, a clock and a database that several processes share: SQLite, or in MongoDB behind a proxy of its own. */
export async function openStorage(mongo?: MongoServer): Promise<Storage> {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const clockFile = stack.use(createClockFile(join(dir.path, 'clock')))
  const database = mongo && stack.use(openMongoDatabase(mongo))
  const proxy = database && stack.use(await startMongoProxy(database.url))
  const scene = {
    ...(proxy && { mongoUrl: proxy.url }),
    dir: dir.path,
    keys: newKey('k1'),
    clockFile: clockFile.path,
    hosts: ['localhost', '127.0.0.1'],
  }
  return {
    clockFile,
    scene,
    isMongo: database !== undefined,
    openWitness(ping) {
      if (!database) return stack.use(openSqliteWitness(databasePath(scene)))
      return openMongoWitness({ database, journal: journalPath(scene), proxy: proxy!, ping })
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

export function newKey(id: string): string {
  return `${id}:${randomBytes(32).toString('base64')}`
}
