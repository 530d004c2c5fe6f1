import { join } from 'node:path'
import { type Config, type RedisConfig, Secret } from '@tokenkeeper/config'
import { type Clock, CodedError, hasCode } from '@tokenkeeper/core'
import { checkRedis } from '@tokenkeeper/queue'
import type { Logger } from '@tokenkeeper/telemetry'
import { startOwnRedis } from './own-redis.ts'

export interface FoundRedis extends AsyncDisposable {
  readonly config: RedisConfig
  /** In words, for people. */
  readonly where: string
}

export interface FindRedisDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** Where the Redis of this machine would be; default 6379. */
  readonly localPort?: number
}

const NONE =
  'No Redis was found. Install one (apt install redis-server, brew install redis), ' +
  'or run one (docker run -d -p 127.0.0.1:6379:6379 redis:8), or set REDIS_URL; then start again.'

/**
 * The configured Redis, which is not checked here; else the one of this machine; else one of our own, if a server is on
 * the PATH, with its data in `redis` below the data directory and its end with ours.
 * Rejects with REDIS_UNAVAILABLE, which tells how to get one, or REDIS_TOO_OLD.
 */
export async function findRedis(
  { redis, dataDir }: Pick<Config, 'redis' | 'dataDir'>,
  deps: FindRedisDeps,
): Promise<FoundRedis> {
  return redis ? configured(redis) : ((await local(deps)) ?? (await own(join(dataDir, 'redis'), deps)))
}

function configured(config: RedisConfig): FoundRedis {
  return { config, where: `${config.host}:${config.port}, as configured`, ...NOTHING_TO_END }
}

/** One that wants a password, or is too old, is somebody else's: we do without it. */
async function local({ clock, logger, localPort = 6379 }: FindRedisDeps): Promise<FoundRedis | null> {
  try {
    await checkRedis({ host: '127.0.0.1', port: localPort }, clock, logger)
  } catch (error) {
    if (hasCode(error, 'REDIS_UNAVAILABLE') || hasCode(error, 'REDIS_TOO_OLD')) return null
    throw error
  }
  return { config: onLoopback(localPort), where: `127.0.0.1:${localPort}, found on this machine`, ...NOTHING_TO_END }
}

async function own(dir: string, { clock, logger }: FindRedisDeps): Promise<FoundRedis> {
  const redis = await startOwnRedis(dir, clock, logger)
  if (redis === null) throw new CodedError('REDIS_UNAVAILABLE', { publicMessage: NONE })
  const { server, port, password } = redis
  return {
    config: onLoopback(port, password),
    where: `127.0.0.1:${port}, a ${server} of its own with its data in ${dir}`,
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  }
}

function onLoopback(port: number, password?: string): RedisConfig {
  const secret = password === undefined ? undefined : new Secret(password)
  return { host: '127.0.0.1', port, username: undefined, password: secret, db: 0, tls: false }
}

const NOTHING_TO_END = { async [Symbol.asyncDispose]() {} }
