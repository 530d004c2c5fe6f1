import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '@tokenkeeper/config'
import { type AppContext, createContext } from '@tokenkeeper/context'
import { createClockFile, startFaultProxy, startPds, startRedis, tempDir } from '@tokenkeeper/testkit'
import { createHistory, type History } from '../journal/history.ts'
import { openJournal } from '../journal/journal.ts'
import { journaledStore } from '../journal/journaled-store.ts'
import { askFleetForAll } from '../load.ts'
import type { Options } from '../options.ts'
import { createRandom } from '../random.ts'
import type { Arena } from './arena.ts'
import { createDesk, type Desk } from './desk.ts'
import { type Role, startFleet } from './fleet.ts'
import { createMongoDatabase } from './mongo-database.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { mountSmall, type SmallDisk } from './small-disk.ts'
import { createSqliteDatabase } from './sqlite-database.ts'
import { createUsers, inLanes, loginOf, type User } from './users.ts'

/** Tokenkeeper under chaos. */
export interface World extends Arena {
  /** Where the spools are; the disk is null where none could be mounted. */
  readonly spoolDisk: SmallDisk | null
  readonly spoolDir: string
  readonly users: readonly User[]
  readonly sessions: Sessions
  readonly history: History
  /** Where operators and users hand in what they want done. */
  readonly desk: Desk
  /** The chaos's own, past everything that fails. */
  readonly context: AppContext
}

const ENTRIES: Readonly<Record<Role, string>> = {
  worker: fileURLToPath(new URL('../processes/worker.ts', import.meta.url)),
  scheduler: fileURLToPath(new URL('../processes/scheduler.ts', import.meta.url)),
  operators: fileURLToPath(new URL('../processes/operators.ts', import.meta.url)),
}
const MB = 2 ** 20
const CONNECTS_AT_ONCE = 16

/** A real PDS behind a fault proxy, an own Redis, a store, a clock that all share, and a fleet of real processes. */
export async function createWorld(options: Options): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const random = createRandom(options.seed)
  const dir = stack.use(await tempDir()).path
  const clockFile = stack.use(createClockFile(join(dir, 'clock')))
  const redis = stack.use(await startRedis({ appendOnlyDir: await made(join(dir, 'redis')) }))
  const pds = stack.use(await startPds({ clockFile: clockFile.path }))
  const sessions = createSessions()
  const proxy = stack.use(await startFaultProxy({ target: pds.url, onAnswer: sessions.onAnswer }))
  const database = stack.use(options.store === 'sqlite' ? await createSqliteDatabase(dir) : await createMongoDatabase())
  const dataDir = await made(join(dir, 'data'))
  const spoolDir = await made(join(dataDir, 'spool'))
  const spoolDisk = await mountSmall(spoolDir, 16 * MB)
  if (spoolDisk) stack.use(spoolDisk)

  // Of its own: how often a process starts depends on the machine, what is done next must not.
  const keyOrder = createRandom(options.seed + 1)
  const keys = ['k1', 'k2', 'k3'].map((id) => `${id}:${randomBytes(32).toString('base64')}`)
  const common = {
    REDIS_URL: redis.url,
    PLC_URL: pds.plcUrl,
    ALLOWED_PRIVATE_HOSTS: 'localhost,127.0.0.1',
    LOG_FORMAT: 'json',
    LOG_LEVEL: options.log,
  }
  const journals = await made(join(dir, 'journals'))
  const config = { ...common, DATA_DIR: join(dir, 'own'), DATABASE_URL: database.url, TOKEN_ENCRYPTION_KEYS: `${keys}` }
  const context = stack.use(
    await createContext(loadConfig(config), {
      clock: clockFile.clock,
      store: (store) => journaledStore(store, openJournal(join(journals, 'chaos.jsonl'))),
    }),
  )
  const users = await createUsers(pds, proxy.url, sessions, options.accounts)
  await inLanes(users, CONNECTS_AT_ONCE, async (user) => {
    const login = loginOf(user.pds, proxy.url, user.pds)
    user.accountId = (await context.engine.connectAccount(login, { ownerId: 'owner', actor: 'chaos' })).id
  })
  const fleet = stack.use(
    startFleet({
      journals,
      entries: ENTRIES,
      workers: options.workers,
      // Each process seals by another key of the ring, and opens by all.
      env: () => ({
        ...common,
        DATA_DIR: dataDir,
        DATABASE_URL: database.fleetUrl,
        TOKEN_ENCRYPTION_KEYS: `${keyOrder.shuffle(keys)}`,
        CLOCK_FILE: clockFile.path,
        ...(options.defect && { DEFECT: options.defect }),
      }),
    }),
  )
  const history = createHistory(journals)
  await fleet.complete()
  const rest = stack.move()
  return {
    options,
    random,
    clockFile,
    redis,
    pds,
    proxy,
    database,
    spoolDisk,
    spoolDir,
    users,
    sessions,
    history,
    fleet,
    desk: createDesk(fleet),
    context,
    askForAll: (chances) => askFleetForAll(context, chances),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  }
}

async function made(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  return dir
}
