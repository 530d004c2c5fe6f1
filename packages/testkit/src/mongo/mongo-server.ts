import { accessSync, constants } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { DryMongoBinary, MongoMemoryReplSet } from 'mongodb-memory-server-core'
import { canConnect } from './can-connect.ts'

export interface MongoServer extends AsyncDisposable {
  /** Where a database of this name is or will be. The server may be shared with other tests: use names of your own. */
  databaseUrl(name: string): string
}

const WITHOUT =
  'no MongoDB: set MONGODB_URI, have mongod on the PATH, or run .ci/provision-mongo (needs Debian, root and Go)'

/**
 * The first MongoDB of these that there is: the one at MONGODB_URI; `mongod` on the PATH, or one that
 * mongodb-memory-server has downloaded before, started on a free port as a replica set of one; the server that
 * `.ci/provision-mongo` keeps running. Null if there is none.
 * Dispose stops what was started, no more.
 */
export async function startMongo(): Promise<MongoServer | null> {
  const { MONGODB_URI } = process.env
  if (MONGODB_URI) return runningServer(MONGODB_URI)
  const systemBinary = mongodOnPath() ?? (await downloadedMongod())
  if (systemBinary !== undefined) {
    const replicaSet = await MongoMemoryReplSet.create({ replSet: { count: 1 }, binary: { systemBinary } })
    const server = runningServer(replicaSet.getUri())
    return { ...server, [Symbol.asyncDispose]: async () => void (await replicaSet.stop()) }
  }
  const kept = await provisionedUri()
  return kept !== null && (await canConnect(kept)) ? runningServer(kept) : null
}

/**
 * As startMongo, for tests that need one: says in one line what is left out where there is none.
 * @throws Error instead, if TESTS_MUST_NOT_SKIP is 1.
 */
export async function mongoForTests(what: string): Promise<MongoServer | null> {
  const server = await startMongo()
  if (server) return server
  if (process.env.TESTS_MUST_NOT_SKIP === '1') throw new Error(`${what} cannot be tested: ${WITHOUT}`)
  console.warn(`Left out: ${what} (${WITHOUT})`)
  return null
}

function runningServer(uri: string): MongoServer {
  const [, hosts, options = ''] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?(\?.*)?$/.exec(uri) ?? []
  if (hosts === undefined) throw new Error('MONGODB_URI has not the form mongodb://HOST')
  return { databaseUrl: (name) => `${hosts}/${name}${options}`, async [Symbol.asyncDispose]() {} }
}

export function mongodOnPath(): string | undefined {
  const { PATH = '' } = process.env
  return PATH.split(delimiter)
    .map((dir) => join(dir, 'mongod'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

async function downloadedMongod(): Promise<string | undefined> {
  return DryMongoBinary.locateBinary(await DryMongoBinary.generateOptions())
}

async function provisionedUri(): Promise<string | null> {
  return readFile(join(homedir(), '.cache', 'tokenkeeper-mongo', 'uri'), 'utf8').then(
    (uri) => uri.trim(),
    () => null,
  )
}
