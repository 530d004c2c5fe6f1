import { type Clock, CodedError, SECOND } from '@tokenkeeper/core'
import type { Logger } from '@tokenkeeper/telemetry'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { settlesConnect } from './cluster.ts'
import { withinDeadline } from './deadline.ts'

export interface RedisAddress extends Pick<RedisOptions, 'host' | 'port' | 'db' | 'username' | 'password' | 'tls'> {
  /** It is one node of a cluster, as checkRedis finds out; the others are asked from it. */
  readonly cluster?: boolean
}

export interface RedisConnections extends Disposable {
  /** Fails fast, so that a caller can answer "not now". */
  readonly producer: Redis | Cluster
  /** Waits for Redis for as long as it takes, as BullMQ's workers need it. */
  readonly worker: Redis | Cluster
  /** Takes what queues and workers emit as errors, so that an outage makes one line and not hundreds. */
  readonly onError: (error: Error) => void
}

const LOCALHOST = '127.0.0.1'
const DEFAULT_PORT = 6379
const MINIMUM_VERSION = [6, 2] as const
const LOG_AGAIN_MS = 30 * SECOND
/** BullMQ's own default backs off to 20 s; then a restarted Redis would be noticed too late. */
const reconnectDelay = (times: number) => Math.min(2_000, 100 * 2 ** Math.min(times, 5))

/** Connects on first use, and reconnects for ever. */
export function createRedisConnections(address: RedisAddress, clock: Clock, logger: Logger): RedisConnections {
  const producer = createClient(address, {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
  })
  const worker = createClient(address, { maxRetriesPerRequest: null })
  const onError = errorLog(clock, logger)
  for (const connection of [producer, worker]) connection.on('error', onError)
  return {
    producer,
    worker,
    onError,
    [Symbol.dispose]() {
      producer.disconnect()
      worker.disconnect()
    },
  }
}

type Patience = Pick<RedisOptions, 'maxRetriesPerRequest' | 'enableOfflineQueue' | 'connectTimeout' | 'commandTimeout'>

function createClient({ cluster: isCluster = false, ...address }: RedisAddress, patience: Patience): Redis | Cluster {
  if (!isCluster) return new Redis({ ...address, ...patience, lazyConnect: true, retryStrategy: reconnectDelay })
  const { host = LOCALHOST, port = DEFAULT_PORT, db: _, ...access } = address
  const { enableOfflineQueue, ...ofNodes } = patience
  const cluster = new Cluster([{ host, port }], {
    enableOfflineQueue,
    lazyConnect: true,
    clusterRetryStrategy: reconnectDelay,
    // Certificates are made out to names: do not turn those into addresses.
    ...(access.tls && { dnsLookup: (name, callback) => callback(null, name) }),
    redisOptions: { ...access, ...ofNodes },
  })
  return settlesConnect(cluster)
}

function errorLog(clock: Clock, logger: Logger): (error: Error) => void {
  const loggedAt = new Map<string, number>()
  return (error) => {
    const now = clock.monotonic()
    if (now - (loggedAt.get(error.message) ?? Number.NEGATIVE_INFINITY) < LOG_AGAIN_MS) return
    if (loggedAt.size > 100) loggedAt.clear()
    loggedAt.set(error.message, now)
    logger.warn({ err: error }, 'trouble with Redis')
  }
}

/**
 * Makes sure that Redis can be used, and finds out whether it is a cluster.
 * Throws REDIS_UNAVAILABLE within 2 s, or REDIS_TOO_OLD; warns where Redis may throw jobs away.
 */
export async function checkRedis(
  address: RedisAddress,
  clock: Clock,
  logger: Logger,
): Promise<{ readonly cluster: boolean }> {
  const info = await askRedis(address, clock, (probe) => probe.info())
  assertNewEnough(info)
  const policy = infoField(info, 'maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    logger.warn({ policy }, 'Redis may evict jobs: set its maxmemory-policy to noeviction')
  }
  const cluster = isCluster(info)
  if (cluster && address.db) {
    throw new CodedError('REDIS_UNAVAILABLE', {
      publicMessage: `Redis at ${placeOf(address)} is a cluster, which has database 0 only: name no other one.`,
    })
  }
  return { cluster }
}

/** Asks something over a connection of its own. Rejects with REDIS_UNAVAILABLE within 2 s. */
export async function askRedis<T>(address: RedisAddress, clock: Clock, ask: (probe: Redis) => Promise<T>): Promise<T> {
  const probe = new Redis({ ...address, lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  let trouble: Error | undefined
  probe.on('error', (error: Error) => {
    // What connect() rejects with says only that the connection is closed.
    trouble = error
  })
  try {
    return await withinDeadline(clock, async () => {
      await probe.connect()
      // One that is still loading answers INFO, and nothing else.
      await probe.ping()
      return ask(probe)
    })
  } catch (error) {
    throw new CodedError('REDIS_UNAVAILABLE', {
      cause: trouble ?? error,
      publicMessage: describeTrouble(placeOf(address), trouble),
    })
  } finally {
    probe.disconnect()
  }
}

function describeTrouble(where: string, trouble: NodeJS.ErrnoException | undefined): string {
  if (/NOAUTH|WRONGPASS|invalid password/i.test(trouble?.message ?? '')) {
    return `Redis at ${where} refuses the login: check REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD.`
  }
  if (/CERT|SIGNATURE|ISSUER|ALTNAME/.test(trouble?.code ?? '')) {
    return `The certificate of Redis at ${where} is not trusted: name its authority by REDIS_TLS_CA_FILE.`
  }
  return `Redis cannot be reached at ${where}. Start it, or say by REDIS_URL where it is.`
}

function placeOf({ host = LOCALHOST, port = DEFAULT_PORT }: RedisAddress): string {
  return `${host}:${port}`
}

export function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
}

export function isCluster(info: string): boolean {
  return infoField(info, 'redis_mode') === 'cluster'
}

/** Throws REDIS_TOO_OLD. */
export function assertNewEnough(info: string): void {
  const version = infoField(info, 'redis_version') ?? ''
  if (!isOlder(version)) return
  throw new CodedError('REDIS_TOO_OLD', {
    publicMessage: `This Redis is too old: it is ${version || 'of an unknown version'}, Tokenkeeper needs 6.2 or newer.`,
  })
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [wantMajor, wantMinor] = MINIMUM_VERSION
  return !(major > wantMajor || (major === wantMajor && minor >= wantMinor))
}
