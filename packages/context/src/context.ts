import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Config } from '@tokenkeeper/config'
import {
  type Clock,
  type Hook,
  type MakeId,
  makeId,
  noHook,
  type Platform,
  SECOND,
  systemClock,
} from '@tokenkeeper/core'
import {
  createEngine,
  createHostPacing,
  createJournal,
  createSpool,
  DEFAULT_TIMES,
  type Engine,
  type Spool,
} from '@tokenkeeper/engine'
import type { Provider } from '@tokenkeeper/providers'
import {
  checkRedis,
  createRedisConnections,
  DEFAULT_QUEUE_SETTINGS,
  type LocalDeps,
  openQueues,
  type QueueSettings,
  type WorkerDeps,
  withinDeadline,
} from '@tokenkeeper/queue'
import {
  createSealer,
  loadOrCreateDevelopmentKey,
  openStore,
  parseKeyRing,
  type Sealer,
  type Store,
} from '@tokenkeeper/store'
import { createLoggers, type Logger } from '@tokenkeeper/telemetry'
import { createProviders, openProviderOptions, type ProviderOptions } from './providers.ts'
import { redisAddress } from './redis.ts'

/** Every dependency of an app. Disposed in the reverse order of its making. */
export interface AppContext extends AsyncDisposable {
  readonly config: Config
  readonly clock: Clock
  readonly makeId: MakeId
  readonly loggers: Loggers
  readonly sealer: Sealer
  readonly store: Store
  readonly providers: ReadonlyMap<Platform, Provider>
  /** What logins take. */
  readonly providerOptions: ProviderOptions
  readonly engine: Engine
  /** What work takes that this process does by itself, without Redis. */
  readonly localDeps: LocalDeps
  /**
   * What queues, workers and the scheduler take. Checks Redis and connects at the first call, so that what needs no
   * Redis asks for none. Rejects with REDIS_UNAVAILABLE or REDIS_TOO_OLD; may be called again then.
   */
  connectRedis(): Promise<WorkerDeps>
}

export type Loggers = (subsystem: string) => Logger

/** What tests and simulations replace. Production has no switch for any of it. */
export interface ContextOverrides {
  readonly clock?: Clock
  readonly hook?: Hook
  readonly makeId?: MakeId
  readonly loggers?: Loggers
  readonly queue?: Partial<QueueSettings>
  /** What stands between the app and its store: to watch it, or to break it. */
  readonly store?: (store: Store) => Store
  /** The same for its spool. */
  readonly spool?: (spool: Spool) => Spool
}

/** How long after the provider's time-out an answer that came at the last moment may take to be committed. */
const COMMIT_MARGIN_MS = 10 * SECOND

/** Rejects with KEY_RING_INVALID, STORE_UNAVAILABLE, STORE_CORRUPT, STORE_TOO_NEW or STORE_URL_UNKNOWN. */
export async function createContext(config: Config, overrides: ContextOverrides = {}): Promise<AppContext> {
  const { clock = systemClock, hook = noHook, loggers = createLoggers(config.log) } = overrides
  const newId = overrides.makeId ?? makeId
  await using stack = new AsyncDisposableStack()
  const logger = loggers('context')
  for (const warning of config.warnings) logger.warn(warning)

  const sealer = createSealer(parseKeyRing(keyRingText(config, logger)))
  const opened = stack.use(await openStore(config.store.url.reveal(), { clock, hook }))
  const store = overrides.store?.(opened) ?? opened
  const spool = createSpool({ dir: join(config.dataDir, 'spool'), clock, hook })
  const providerOptions = stack.use(openProviderOptions(config, { clock, loggers }))
  const providers = createProviders(providerOptions)
  const { leaseMs, renewMs, providerTimeoutMs, witnessMs, holdMs } = config.protocol
  const engine = stack.use(
    createEngine({
      clock,
      makeId: newId,
      random: Math.random,
      store,
      sealer,
      providers,
      spool: overrides.spool?.(spool) ?? spool,
      journal: createJournal({
        dir: join(config.dataDir, 'journal'),
        keepMs: config.retention.journal,
        clock,
        logger: loggers('journal'),
      }),
      pacing: createHostPacing(clock),
      hook,
      logger: loggers('engine'),
      workerId: `${hostname()}:${process.pid}:${newId().slice(-6)}`,
      times: { ...DEFAULT_TIMES, leaseMs, renewMs, providerTimeoutMs, witnessMs, holdMs },
      due: config.due,
    }),
  )

  const queueLogger = loggers('queue')
  const localDeps: LocalDeps = {
    store,
    engine,
    clock,
    makeId: newId,
    logger: queueLogger,
    platforms: [...providers.keys()],
    settings: { ...queueSettings(config), ...overrides.queue },
  }

  async function connectRedis(): Promise<WorkerDeps> {
    const address = redisAddress(config.redis)
    const { cluster } = await checkRedis(address, clock, queueLogger)
    await using attempt = new AsyncDisposableStack()
    const redis = attempt.use(createRedisConnections({ ...address, cluster }, clock, queueLogger))
    const { prefix } = config.queue
    const queues = attempt.use(openQueues(redis, prefix))
    // A queue whose first connection fails is of no use ever after.
    const opened = [queues.refresh, queues.refreshNow, queues.schedule].map((queue) => queue.waitUntilReady())
    await withinDeadline(clock, () => Promise.all(opened))
    rest.use(attempt.move())
    return {
      ...localDeps,
      queues,
      redis,
      prefix,
      schedules: config.schedules,
    }
  }

  const rest = stack.move()
  let connected: Promise<WorkerDeps> | undefined
  return {
    config,
    clock,
    makeId: newId,
    loggers,
    sealer,
    store,
    providers,
    providerOptions,
    engine,
    localDeps,
    connectRedis() {
      connected ??= connectRedis()
      connected.catch(() => {
        connected = undefined
      })
      return connected
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  }
}

function keyRingText(config: Config, logger: Logger): string {
  if (config.keys) return config.keys.reveal()
  logger.warn(
    { dataDir: config.dataDir },
    'TOKEN_ENCRYPTION_KEYS is not set: using the development key in the data directory',
  )
  return loadOrCreateDevelopmentKey(config.dataDir)
}

function queueSettings({ worker, queue, protocol, retention }: Config): QueueSettings {
  return {
    ...DEFAULT_QUEUE_SETTINGS,
    concurrency: worker.concurrency,
    urgentConcurrency: worker.nowConcurrency,
    sweepEveryMs: queue.sweepEveryMs,
    staleScanMs: protocol.staleScanMs,
    closeMs: protocol.providerTimeoutMs + COMMIT_MARGIN_MS,
    keepMs: retention,
  }
}
