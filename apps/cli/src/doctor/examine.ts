import type { Config } from '@tokenkeeper/config'
import { openProviderOptions, redisAddress } from '@tokenkeeper/context'
import { type Clock, toCodedError } from '@tokenkeeper/core'
import { inspectFleet, inspectRedis } from '@tokenkeeper/queue'
import { inspectStore, type StoreInspection } from '@tokenkeeper/store'
import type { createLoggers } from '@tokenkeeper/telemetry'
import { existingKeyRing } from '../keys/key-ring.ts'
import { openExistingStore } from '../open-existing-store.ts'
import { checkClock } from './check-clock.ts'
import { checkFleet } from './check-fleet.ts'
import { checkHalts } from './check-halts.ts'
import { checkKeys } from './check-keys.ts'
import { checkBluesky, checkMeta, checkReachable } from './check-providers.ts'
import { checkRedis } from './check-redis.ts'
import { checkSchedules } from './check-schedules.ts'
import { checkSpool } from './check-spool.ts'
import { checkStore } from './check-store.ts'
import { type Finding, failed, skipped } from './finding.ts'

export type Report = readonly { readonly check: string; readonly findings: readonly Finding[] }[]

interface ExamineDeps {
  readonly clock: Clock
  readonly loggers: ReturnType<typeof createLoggers>
}

/** Looks at everything that there is. Writes nothing, and sends no user's token. */
export async function examine(config: Config, { clock, loggers }: ExamineDeps): Promise<Report> {
  await using stack = new AsyncDisposableStack()
  const report: { check: string; findings: readonly Finding[] }[] = []
  const note = async (check: string, find: () => Promise<readonly Finding[]> | readonly Finding[]) => {
    report.push({ check, findings: await find() })
  }

  const address = redisAddress(config.redis)
  const redis = await settled(inspectRedis(address, clock))
  await note('Redis', () => (redis.ok ? checkRedis(redis.value) : [noRedis(redis, config)]))

  const inspected = await settled(inspectStore(config.store.url.reveal()))
  await note('store', () => (inspected.ok ? checkStore(inspected.value) : [noStore(inspected)]))
  const store = inspected.ok && isCurrent(inspected.value) ? await openExistingStore(config) : null
  if (store !== null) stack.use(store)

  await note('keys', () => checkKeys({ ring: existingKeyRing(config), environment: config.environment }, store))
  await note('spool', () => checkSpool(config.dataDir, clock))

  const providers = stack.use(openProviderOptions(config, { clock, loggers }))
  const { bluesky, clock: ofProvider } = await checkBluesky(providers.bluesky, clock)
  const ofRedis = redis.ok ? checkClock('Redis', redis.value.clockAheadMs) : skipped('Redis is away.')
  await note('clock', () => [ofRedis, ofProvider])
  await note('Bluesky', () => [bluesky])
  await note('Meta', () => checkMeta(providers))
  await note('Instagram', async () => [
    providers.instagram ? await checkReachable('Instagram', providers.instagram) : skipped('Instagram is off.'),
  ])
  await note('Threads', async () => [
    providers.threads ? await checkReachable('Threads', providers.threads) : skipped('Threads is off.'),
  ])

  const fleet = redis.ok
    ? await settled(
        inspectFleet({ ...address, cluster: redis.value.cluster }, config.queue.prefix, {
          clock,
          logger: loggers('queue'),
        }),
      )
    : redis
  await note('workers', () => (fleet.ok ? checkFleet(fleet.value, clock.now()) : [skipped('Redis is away.')]))
  const unread = skipped('The store could not be looked into.')
  await note('schedules', () =>
    store
      ? checkSchedules({ store, clock, schedules: config.schedules, fleet: fleet.ok ? fleet.value : null })
      : [unread],
  )
  await note('halts', () => (store ? checkHalts(store) : [unread]))
  return report
}

type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string; readonly message: string }

async function settled<T>(work: Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await work }
  } catch (error) {
    const { code, message } = toCodedError(error)
    return { ok: false, code, message }
  }
}

function noRedis({ code, message }: { readonly code: string; readonly message: string }, { redis }: Config): Finding {
  const mend = redis
    ? 'Nothing is refreshed on time without it; what was lost in it comes back from the store.'
    : 'Set REDIS_URL. (`start` runs a Redis of its own, which only it can use.)'
  return failed(`${code}: ${message}`, mend)
}

function noStore({ code, message }: { readonly code: string; readonly message: string }): Finding {
  if (code === 'STORE_NOT_FOUND') return skipped('There is no database yet: the first account makes it.')
  return failed(
    `${code}: ${message}`,
    'Nothing is refreshed without it, and nothing is lost: answers wait in the spool.',
  )
}

/** Opening an older one would bring it up to date. */
function isCurrent({ schema, missingIndexes }: StoreInspection): boolean {
  return schema.found === schema.known && missingIndexes.length === 0
}
