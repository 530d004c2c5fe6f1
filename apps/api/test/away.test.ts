import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { spawnNode, startRedis, tempDir, until } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { logIn } from './board-client.ts'
import { ADMIN_KEY, call, createWorld, openDatabase, REFUSE_AUDIT, timed, type World } from './world.ts'

const PROMISED_MS = 2_000
const PATH = '/api/admin/refresh-tokens'

/** The fastest of three: a busy machine may stand still for a while, but hardly each time. */
async function fastest<T>(call: () => Promise<T>): Promise<{ took: number; result: T }> {
  const calls = [await timed(call), await timed(call), await timed(call)]
  return calls.reduce((best, next) => (next.took < best.took ? next : best))
}

async function expectRedisAway(world: World): Promise<void> {
  const account = await world.addAccount()
  const session = await logIn(world.url, ADMIN_KEY)
  const asks = [{}, { platform: 'bluesky' }, { accountId: account.id }].map(
    (body) => () => world.call('POST', PATH, { key: ADMIN_KEY, body }),
  )
  asks.push(() => session.call('GET', '/queues/api/queues'))
  for (const { took, result } of await Promise.all(asks.map(fastest))) {
    expect(result.status).toBe(503)
    expect(result.text).toContain('Redis cannot be reached')
    expect(took).toBeLessThan(PROMISED_MS)
  }
  const { took, result } = await fastest(() => world.call('GET', '/readyz'))
  expect(result).toMatchObject({ status: 503, body: { status: 'not_ready', store: 'ok', redis: 'away' } })
  expect(took).toBeLessThan(PROMISED_MS)
  expect((await world.call('GET', '/healthz')).body).toEqual({ status: 'ok' })
  // What needs no Redis is served.
  expect((await session.call('GET', '/queues/')).status).toBe(200)
  expect((await world.call('GET', `/api/admin/runs/${'a'.repeat(24)}`, { key: ADMIN_KEY })).status).toBe(404)
  await expectNothingBegun(world)
}

async function expectNothingBegun({ store }: World): Promise<void> {
  expect(await store.runs.unfinished(9)).toEqual([])
  expect(await store.audit.list({ limit: 9 })).toEqual([])
}

async function expectBack(world: World): Promise<void> {
  await until(async () => (await world.call('GET', '/readyz')).status === 200, { what: 'Redis to be used again' })
  const { id } = await world.addAccount()
  const answer = await world.call('POST', PATH, { key: ADMIN_KEY, body: { accountId: id } })
  expect(answer.status).toBe(202)
}

describe('503 within 2 s while Redis is away, and 202 when it is there', () => {
  test('never reachable', async () => {
    await using redis = await startRedis()
    await redis.stop()
    await using world = await createWorld({ redisUrl: redis.url })
    await expectRedisAway(world)
    await redis.start()
    await expectBack(world)
  })

  test('takes connections and never answers', async () => {
    await using redis = await startRedis()
    process.kill(redis.pid, 'SIGSTOP')
    await using world = await createWorld({ redisUrl: redis.url })
    await expectRedisAway(world)
    process.kill(redis.pid, 'SIGCONT')
    await expectBack(world)
  })

  test('lost later', async () => {
    await using redis = await startRedis()
    await using world = await createWorld({ redisUrl: redis.url })
    await (await world.connectRedis()).queues.refresh.waitUntilReady()
    await redis.kill()
    await expectRedisAway(world)
    await redis.start()
    await expectBack(world)
  })

  test('lost between the first look at it and the first use', async () => {
    await using redis = await startRedis()
    await using relay = await startRelay(redis.port)
    relay.letThrough(1)
    await using world = await createWorld({ redisUrl: relay.url })
    await expectRedisAway(world)
    relay.letThrough(Number.POSITIVE_INFINITY)
    await expectBack(world)
  })

  test('hanging later', async () => {
    await using redis = await startRedis()
    await using world = await createWorld({ redisUrl: redis.url })
    await (await world.connectRedis()).queues.refresh.waitUntilReady()
    process.kill(redis.pid, 'SIGSTOP')
    await expectRedisAway(world)
    process.kill(redis.pid, 'SIGCONT')
    await expectBack(world)
  })
})

/** Passes on as many further connections as are let through, and cuts the others. */
async function startRelay(port: number) {
  let left = 0
  const server = createServer((socket) => {
    socket.on('error', () => {})
    if (left-- <= 0) return socket.destroy()
    const upstream = connect(port, '127.0.0.1')
    upstream.on('error', () => socket.destroy())
    socket.on('close', () => upstream.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    letThrough(count: number) {
      left = count
    },
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}

test('503 while the store is away; readiness names it', async () => {
  await using redis = await startRedis()
  await using world = await createWorld({ redisUrl: redis.url })
  expect((await world.call('GET', '/readyz')).body).toEqual({ status: 'ready', store: 'ok', redis: 'ok' })
  const { key } = await world.makeKey('operator')
  await world.store[Symbol.asyncDispose]()
  await until(async () => (await world.call('GET', '/readyz')).status === 503, { what: 'readiness to end' })
  expect((await world.call('GET', '/readyz')).body).toMatchObject({ store: 'away', redis: 'ok' })
  const answer = await world.call('POST', PATH, { key, body: {} })
  expect(answer).toMatchObject({ status: 503, body: { error: { code: 'STORE_UNAVAILABLE' } } })
  expect((await world.call('GET', '/healthz')).status).toBe(200)
})

test('a store that cannot be written to is named as such, and nothing is begun', async () => {
  await using redis = await startRedis()
  await using world = await createWorld({ redisUrl: redis.url })
  using database = openDatabase(world)
  database.exec('BEGIN IMMEDIATE')
  const [answer, readiness] = await Promise.all([
    world.call('POST', PATH, { key: ADMIN_KEY, body: {} }),
    world.call('GET', '/readyz'),
  ])
  expect(answer).toMatchObject({ status: 503, body: { error: { code: 'STORE_UNAVAILABLE' } } })
  expect(readiness.body).toMatchObject({ store: 'away', redis: 'ok' })
  database.exec('ROLLBACK')
  await expectNothingBegun(world)
})

test('nothing is begun that cannot be recorded', async () => {
  await using redis = await startRedis()
  await using world = await createWorld({ redisUrl: redis.url })
  const account = await world.addAccount()
  using database = openDatabase(world)
  database.exec(REFUSE_AUDIT)
  for (const body of [{}, { platform: 'bluesky' }, { accountId: account.id }]) {
    expect((await world.call('POST', PATH, { key: ADMIN_KEY, body })).status).toBe(500)
  }
  await expectNothingBegun(world)
  const { queues } = await world.connectRedis()
  for (const queue of [queues.refreshNow, queues.schedule]) expect(await queue.getJobCountByTypes('waiting')).toBe(0)
})

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

test('the process starts without Redis, tells its parent, listens on loopback, and ends with 0', async () => {
  await using dir = await tempDir()
  const env = {
    DATA_DIR: dir.path,
    REDIS_URL: 'redis://127.0.0.1:1',
    ADMIN_API_KEY: ADMIN_KEY,
    API_PORT: '0',
    LOG_FORMAT: 'json',
  }
  await using api = spawnNode(MAIN, { env, cwd: dir.path, ipc: true })
  const ready = new Promise((resolve) => api.child.once('message', resolve))
  const [, url] = await api.waitForLine(/API is ready at (http:\/\/127\.0\.0\.1:\d+)/)
  expect(await ready).toBe('ready')
  expect((await call(url!, 'GET', '/healthz')).status).toBe(200)
  expect((await call(url!, 'POST', PATH, { key: ADMIN_KEY, body: {} })).status).toBe(503)
  api.kill('SIGTERM')
  expect(await api.exited).toEqual({ code: 0, signal: null })
  expect(api.lines.join()).not.toContain(ADMIN_KEY)
})

test('a port that is taken is told, and the process ends with 1', async () => {
  await using redis = await startRedis()
  await using dir = await tempDir()
  await using api = spawnNode(MAIN, { env: { DATA_DIR: dir.path, API_PORT: `${redis.port}` }, cwd: dir.path })
  expect((await api.exited).code).toBe(1)
  expect(api.lines.at(-1)).toMatch(/^LISTEN_FAILED: The API cannot listen at 127\.0\.0\.1:\d+ \(EADDRINUSE\)/)
})
