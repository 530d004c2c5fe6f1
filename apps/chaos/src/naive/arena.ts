import { readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { createClockFile, type PdsAccount, startFaultProxy, startPds, startRedis, tempDir } from '@tokenkeeper/testkit'
import { Queue } from 'bullmq'
import type { Options } from '../options.ts'
import { createRandom } from '../random.ts'
import type { Arena } from '../world/arena.ts'
import { startFleet } from '../world/fleet.ts'
import { createSqliteDatabase } from '../world/sqlite-database.ts'
import { type NaiveJob, SCHEMA } from './schema.ts'

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))

/** Naive workers under chaos. */
export interface NaiveArena extends Arena {
  readonly users: readonly PdsAccount[]
  readonly queue: Queue<NaiveJob>
  readonly db: DatabaseSync
  /** Refreshes that had begun and not ended when their worker was killed. */
  interrupted(): number
}

export async function createNaiveArena(options: Options): Promise<NaiveArena> {
  await using stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir()).path
  const journals = join(dir, 'journals')
  await mkdir(journals)
  await mkdir(join(dir, 'redis'))
  const clockFile = stack.use(createClockFile(join(dir, 'clock')))
  const redis = stack.use(await startRedis({ appendOnlyDir: join(dir, 'redis') }))
  const pds = stack.use(await startPds({ clockFile: clockFile.path }))
  const proxy = stack.use(await startFaultProxy({ target: pds.url }))
  const database = stack.use(await createSqliteDatabase(dir))
  const path = database.url.replace('sqlite:', '')
  const db = new DatabaseSync(path, { timeout: 10_000 })
  stack.defer(() => db.close())
  db.exec(`PRAGMA journal_mode = WAL; ${SCHEMA}`)
  const users = await pds.createAccounts(options.accounts)
  const insert = db.prepare('INSERT INTO accounts (did, session) VALUES (?, ?)')
  for (const { did, handle, accessJwt, refreshJwt } of users) {
    insert.run(did, JSON.stringify({ did, handle, accessJwt, refreshJwt, active: true }))
  }
  const queue = new Queue<NaiveJob>('refresh', {
    connection: { port: redis.port, maxRetriesPerRequest: 1, enableOfflineQueue: false },
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  })
  queue.on('error', () => {})
  stack.defer(() => queue.close())
  await queue.waitUntilReady()
  const env = {
    REDIS_PORT: `${redis.port}`,
    DATABASE: path,
    SERVICE_URL: proxy.url,
    CONCURRENCY: `${options.inFlight}`,
  }
  const fleet = stack.use(
    startFleet({ journals, entries: { worker: WORKER }, workers: options.workers, env: () => env }),
  )
  await fleet.complete()
  const rest = stack.move()
  return {
    options,
    random: createRandom(options.seed),
    clockFile,
    redis,
    pds,
    proxy,
    database,
    fleet,
    users,
    queue,
    db,
    interrupted: () =>
      readdirSync(journals)
        .filter((name) => fleet.members.get(name.replace('.jsonl', ''))?.killed)
        .reduce((sum, name) => sum + unended(readFileSync(join(journals, name), 'utf8')), 0),
    async askForAll() {
      const dids = db.prepare("SELECT did FROM accounts WHERE status = 'connected'").all()
      const jobs = dids.map(({ did }) => ({ name: 'refresh', data: { did: String(did) } }))
      await queue.addBulk(jobs)
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  }
}

function unended(journal: string): number {
  const count = (word: string) => journal.split('\n').filter((line) => line.startsWith(`${word} `)).length
  return count('begin') - count('end')
}
