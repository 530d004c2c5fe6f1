import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '@tokenkeeper/config'
import { startGraphEmulator } from '@tokenkeeper/graph-emulator'
import { connectSystemUser } from '@tokenkeeper/providers'
import { createLoggers } from '@tokenkeeper/telemetry'
import { startRedis, type TempDir, tempDir } from '@tokenkeeper/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createContext } from '../src/index.ts'
import { redisAddress } from '../src/redis.ts'

let dir: TempDir
beforeEach(async () => {
  dir = await tempDir()
})
afterEach(() => dir[Symbol.asyncDispose]())

const KEYS = `k1:${Buffer.alloc(32, 7).toString('base64')}`

function open(env: Record<string, string>, lines: string[] = []) {
  const loggers = createLoggers({ level: 'debug', format: 'json', destination: { write: (line) => lines.push(line) } })
  return createContext(loadConfig({ DATA_DIR: dir.path, TOKEN_ENCRYPTION_KEYS: KEYS, ...env }), { loggers })
}

test('asks for no Redis before it is needed, tells then that it is away, and takes it once it is there', async () => {
  await using redis = await startRedis()
  await redis.stop()
  const lines: string[] = []
  await using context = await open({ REDIS_URL: redis.url }, lines)
  await context.store.ping()
  expect(await context.engine.replaySpools()).toBe(0)
  expect(lines.join()).not.toContain('Redis')
  await expect(context.connectRedis()).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' })

  await redis.start()
  const deps = await context.connectRedis()
  expect(await context.connectRedis()).toBe(deps)
  expect(await deps.queues.refresh.count()).toBe(0)
})

test('reaches a Redis with password and database number', async () => {
  await using redis = await startRedis()
  await using first = await open({ REDIS_URL: redis.url })
  const { queues: firstQueues, redis: firstRedis } = await first.connectRedis()
  await firstQueues.refresh.waitUntilReady()
  await firstRedis.producer.config('SET', 'requirepass', 'a-password')
  await using context = await open({
    REDIS_URL: `redis://:a-password@127.0.0.1:${redis.port}/3`,
    QUEUE_PREFIX: '{other}',
  })
  const { queues, redis: connections } = await context.connectRedis()
  await queues.schedule.add('sweep', {})
  expect(await connections.producer.keys('{other}:schedule:*')).not.toEqual([])
  expect(await connections.producer.client('INFO')).toContain('db=3')
})

test('what is configured reaches queues and schedules', async () => {
  await using redis = await startRedis()
  const env = { WORKER_CONCURRENCY: '7', WORKER_NOW_CONCURRENCY: '3', SWEEP_EVERY_SECONDS: '5', STALE_SCAN_MS: '400' }
  const times = { PROVIDER_TIMEOUT_MS: '20000', BLUESKY_CRON: '0 3 * * 1', SCHEDULE_TIMEZONE: 'Europe/Berlin' }
  await using context = await open({ REDIS_URL: redis.url, ...env, ...times })
  const { settings, schedules, platforms } = await context.connectRedis()
  expect(settings).toMatchObject({
    concurrency: 7,
    urgentConcurrency: 3,
    sweepEveryMs: 5_000,
    staleScanMs: 400,
    closeMs: 30_000,
  })
  expect(schedules).toEqual({
    'meta-daily': { tz: 'Europe/Berlin' },
    'bluesky-weekly': { pattern: '0 3 * * 1', tz: 'Europe/Berlin' },
  })
  expect(platforms).toEqual(['bluesky'])
})

test('without keys it makes one in the data directory, says so, and finds it again', async () => {
  const lines: string[] = []
  await using first = await open({ TOKEN_ENCRYPTION_KEYS: '' }, lines)
  const { sealed } = first.sealer.seal('something', 'an-id', 'credential')
  await using second = await open({ TOKEN_ENCRYPTION_KEYS: '' })
  expect(second.sealer.open(sealed, 'an-id', 'credential')).toBe('something')
  expect(lines.some((line) => line.includes('TOKEN_ENCRYPTION_KEYS is not set'))).toBe(true)
})

test('passes on slips of the pen', async () => {
  const lines: string[] = []
  await using _ = await open({ REDIS_ULR: 'x' }, lines)
  expect(lines.some((line) => line.includes('REDIS_ULR'))).toBe(true)
})

test('closes what it opened', async () => {
  await using redis = await startRedis()
  const context = await open({ REDIS_URL: redis.url })
  const { queues, redis: connections } = await context.connectRedis()
  await queues.refresh.waitUntilReady()
  expect(connections.producer.status).toBe('ready')
  await context[Symbol.asyncDispose]()
  await expect(context.store.ping()).rejects.toThrow()
  await expect.poll(() => connections.producer.status).toBe('end')
})

test('tells what is wrong with the store', async () => {
  const path = join(dir.path, 'corrupt.db')
  await writeFile(path, 'this is no database, though it is long enough to be looked at '.repeat(200))
  await expect(open({ DATABASE_URL: `sqlite:${path}` })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
})

test('says over TLS which authority to trust', () => {
  const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'
  const addressOf = (env: Record<string, string>) => redisAddress(loadConfig(env).redis)
  expect(addressOf({ REDIS_URL: 'rediss://h:1', REDIS_TLS_CA: ca })).toMatchObject({ host: 'h', tls: { ca } })
  expect(addressOf({ REDIS_URL: 'rediss://h:1' })).toMatchObject({ tls: {} })
  expect(addressOf({ REDIS_URL: 'redis://h:1' })).not.toHaveProperty('tls')
})

describe('the platforms', () => {
  test('are on where their app is configured', async () => {
    await using bare = await open({})
    expect([...bare.providers.keys()]).toEqual(['bluesky'])
  })

  test('all of them', async () => {
    const app = (prefix: string) => ({ [`${prefix}APP_ID`]: '4711', [`${prefix}APP_SECRET`]: 'secret' })
    await using context = await open({ ...app(''), ...app('INSTAGRAM_'), ...app('THREADS_') })
    expect([...context.providers.keys()]).toEqual(['bluesky', 'meta', 'instagram', 'threads'])
  })

  test('a version that has expired is warned of, and no secret is logged', async () => {
    await using emulator = await startGraphEmulator()
    const { control, urls } = emulator
    const app = control.createApp({ requireProof: true })
    const { id: userId } = control.createUser({ systemUser: true })
    control.grant({ appId: app.id, userId })
    const { accessToken } = control.issueToken({ appId: app.id, userId, expiresIn: 60 * 24 * 3600 })
    const lines: string[] = []
    const env = { APP_ID: app.id, APP_SECRET: app.secret, META_GRAPH_URL: urls.facebook, META_GRAPH_VERSION: 'v20.0' }
    await using context = await open(env, lines)
    const login = await connectSystemUser(context.providerOptions.meta!, accessToken)
    const { id } = await context.engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
    expect(await context.engine.refreshAccount(id, { type: 'manual', force: true })).toMatchObject({
      kind: 'refreshed',
    })
    const account = (await context.store.accounts.get(id))!
    expect(account).toMatchObject({ issuer: 'business', status: 'active' })
    const warning = lines.find((line) => line.includes('META_GRAPH_VERSION'))
    expect(JSON.parse(warning!)).toMatchObject({ name: 'tokenkeeper:meta', level: 40, asked: 'v20.0' })
    expect(lines.join('')).not.toContain(accessToken)
    expect(lines.join('')).not.toContain(app.secret)
  })
})
