import type { Clock } from '@tokenkeeper/core'
import type { Logger } from '@tokenkeeper/telemetry'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import {
  askRedis,
  assertNewEnough,
  createRedisConnections,
  infoField,
  isCluster,
  type RedisAddress,
} from './connection.ts'
import { withinDeadline } from './deadline.ts'
import type { QueueName } from './names.ts'

/** How a Redis is, for people who look after it. */
export interface RedisInspection {
  readonly version: string
  readonly cluster: boolean
  /** What it does when its memory is full; null = that was not told. */
  readonly policy: string | null
  /** null = that was not told. */
  readonly persistence: 'append-only' | 'snapshots' | 'none' | null
  /** Its last attempt to write to its disk failed. */
  readonly cannotPersist: boolean
  /** How far its clock is ahead of ours (ms). */
  readonly clockAheadMs: number
}

/** Rejects with REDIS_UNAVAILABLE within 2 s, or REDIS_TOO_OLD. Writes nothing. */
export function inspectRedis(address: RedisAddress, clock: Clock): Promise<RedisInspection> {
  return askRedis(address, clock, async (probe) => {
    const info = await probe.info()
    assertNewEnough(info)
    const writes = ['aof_last_write_status', 'rdb_last_bgsave_status']
    return {
      version: infoField(info, 'redis_version')!,
      cluster: isCluster(info),
      policy: infoField(info, 'maxmemory_policy') ?? null,
      persistence: await persistenceOf(probe, info),
      cannotPersist: writes.some((field) => infoField(info, field) === 'err'),
      clockAheadMs: await clockAhead(probe, clock),
    }
  })
}

async function persistenceOf(probe: Redis, info: string): Promise<RedisInspection['persistence']> {
  if (infoField(info, 'aof_enabled') === '1') return 'append-only'
  // Hosted services often refuse this.
  const save = (await probe.config('GET', 'save').catch(() => null)) as string[] | null
  if (save?.[1] === undefined) return null
  return save[1] === '' ? 'none' : 'snapshots'
}

async function clockAhead(probe: Redis, clock: Clock): Promise<number> {
  const asked = clock.now()
  const [seconds, micros] = await probe.time()
  const answered = clock.now()
  return Math.round(Number(seconds) * 1_000 + Number(micros) / 1_000 - (asked + answered) / 2)
}

/** Who is at work on the queues, as Redis knows it. */
export interface FleetInspection {
  /** How many processes take jobs of each queue; null = this Redis does not tell its clients. */
  readonly workers: Readonly<Record<QueueName, number>> | null
  readonly paused: readonly QueueName[]
  /** What schedulers have registered: names, and when each comes next (ms). */
  readonly registered: readonly { readonly id: string; readonly next: number | null }[]
}

const QUEUES: readonly QueueName[] = ['refresh', 'refresh-now', 'schedule']

/** Rejects with REDIS_UNAVAILABLE. Writes nothing: not even what a queue tells of itself when it is opened. */
export async function inspectFleet(
  address: RedisAddress,
  prefix: string,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<FleetInspection> {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(createRedisConnections(address, clock, logger))
  const queues = QUEUES.map((name) => {
    const queue = new Queue(name, { connection: redis.producer, prefix, skipMetasUpdate: true })
    queue.on('error', redis.onError)
    stack.defer(() => queue.close())
    return { name, queue }
  })
  return await withinDeadline(clock, async () => {
    await Promise.all(queues.map(({ queue }) => queue.waitUntilReady()))
    const counted = await Promise.all(
      queues.map(async ({ name, queue }) => [name, await queue.getWorkersCount()] as const),
    ).catch(() => null)
    const paused = await Promise.all(queues.map(async ({ name, queue }) => ((await queue.isPaused()) ? [name] : [])))
    const schedulers = await queues.find(({ name }) => name === 'schedule')!.queue.getJobSchedulers()
    return {
      workers: counted && (Object.fromEntries(counted) as Record<QueueName, number>),
      paused: paused.flat(),
      registered: schedulers.map(({ key, next }) => ({ id: key, next: next ?? null })),
    }
  })
}
