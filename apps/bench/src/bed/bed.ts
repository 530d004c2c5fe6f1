import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '@tokenkeeper/config'
import { type AppContext, createContext } from '@tokenkeeper/context'
import type { WorkerDeps } from '@tokenkeeper/queue'
import {
  type InstantHost,
  type NodeProcess,
  type RedisServer,
  spawnNode,
  startInstantHost,
  startRedis,
  tempDir,
} from '@tokenkeeper/testkit'
import { openDatabase, type StoreName } from './database.ts'

const APPS = new URL('../../../', import.meta.url)
const FLOOR_WORKER = new URL('../processes/floor-worker.ts', import.meta.url)
const BARE_NODE = new URL('../processes/bare.ts', import.meta.url)
const SWEEPER = new URL('../processes/sweeper.ts', import.meta.url)

export type AppName = 'worker' | 'scheduler' | 'api'
/** Settings by their names. */
export type Environment = Readonly<Record<string, string>>

/** What a part of the benchmark runs on: a database, a Redis and a provider of its own, all on this machine. */
export interface Bed extends AsyncDisposable {
  readonly context: AppContext
  readonly deps: WorkerDeps
  /** The same for the floor's worker, whose queue lies in the same Redis. */
  readonly floor: WorkerDeps
  readonly redis: RedisServer
  readonly host: InstantHost
  readonly databaseUrl: string
  /** Starts a real app as in production, its log in a file. Resolves when it is ready. */
  startApp(name: AppName, env?: Environment): Promise<NodeProcess>
  /** See processes/floor-worker.ts. */
  startFloorWorker(env?: Environment): Promise<NodeProcess>
  /** See processes/sweeper.ts. */
  startSweeper(env?: Environment): Promise<NodeProcess>
  /** See processes/bare.ts. */
  startBareNode(): Promise<NodeProcess>
}

export interface BedOptions {
  readonly store: StoreName
  /** How long the provider takes for an answer. */
  readonly latencyMs?: number
}

/** Resolves to null if there is no such store on this machine. */
export async function openBed({ store, latencyMs = 0 }: BedOptions): Promise<Bed | null> {
  await using stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const database = await openDatabase(store, dir.path)
  if (database === null) return null
  stack.use(database)
  const redis = stack.use(await startRedis())
  const host = stack.use(await startInstantHost(latencyMs))
  const ours: Environment = {
    NODE_ENV: 'production',
    DATA_DIR: dir.path,
    DATABASE_URL: database.url,
    TOKEN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    REDIS_URL: redis.url,
    ALLOWED_PRIVATE_HOSTS: 'localhost',
    API_PORT: '0',
  }
  const { path: floorDir } = stack.use(await tempDir())
  const floors: Environment = {
    ...ours,
    DATA_DIR: floorDir,
    DATABASE_URL: `sqlite:${join(floorDir, 'unused.db')}`,
    QUEUE_PREFIX: '{floor}',
  }
  const open = async (env: Environment) => stack.use(await createContext(loadConfig({ ...env, LOG_LEVEL: 'error' })))
  const context = await open(ours)
  const deps = await context.connectRedis()
  const floor = await (await open(floors)).connectRedis()
  const log = openSync(join(dir.path, 'log'), 'a')
  stack.defer(() => closeSync(log))

  const apps = stack.use(new AsyncDisposableStack())
  async function start(entry: URL, env: Environment): Promise<NodeProcess> {
    const app = apps.use(spawnNode(fileURLToPath(entry), { env, cwd: dir.path, ipc: true, stdoutFd: log }))
    await new Promise<void>((resolve, reject) => {
      app.child.once('message', () => resolve())
      app.exited.then(() => reject(new Error(`${entry} ended:\n${app.lines.join('\n')}`)), reject)
    })
    return app
  }

  const rest = stack.move()
  return {
    context,
    deps,
    floor,
    redis,
    host,
    databaseUrl: database.url,
    startApp: (name, env) => start(new URL(`${name}/src/main.ts`, APPS), { ...ours, ...env }),
    startFloorWorker: (env) => start(FLOOR_WORKER, { ...floors, PROVIDER_URL: host.url, ...env }),
    startSweeper: (env) => start(SWEEPER, { ...ours, ...env }),
    startBareNode: () => start(BARE_NODE, {}),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  }
}
