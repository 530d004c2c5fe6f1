import { type Config, loadConfig } from '@tokenkeeper/config'
import { createContext } from '@tokenkeeper/context'
import { SECOND, systemClock } from '@tokenkeeper/core'
import { startRedis, tempDir, until } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { startHealthServer } from '../src/index.ts'

function configFor(dir: string, redisUrl: string, port?: string): Config {
  const TOKEN_ENCRYPTION_KEYS = `k1:${Buffer.alloc(32, 7).toString('base64')}`
  const HEALTH_PORT = port === undefined ? {} : { HEALTH_PORT: port }
  return loadConfig({ DATA_DIR: dir, REDIS_URL: redisUrl, TOKEN_ENCRYPTION_KEYS, LOG_LEVEL: 'error', ...HEALTH_PORT })
}

async function get(url: string): Promise<{ status: number; body: Record<string, string> }> {
  const response = await fetch(url)
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

test('is up whatever has become of Redis, and ready only while Redis is there', async () => {
  await using redis = await startRedis()
  await using dir = await tempDir()
  await using context = await createContext(configFor(dir.path, redis.url, '0'))
  await using health = await startHealthServer(context)
  expect(health.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const ready = { status: 'ready', store: 'ok', redis: 'ok' }
  expect(await get(`${health.url}/healthz`)).toEqual({ status: 200, body: { status: 'ok' } })
  expect(await get(`${health.url}/readyz`)).toEqual({ status: 200, body: ready })

  await redis.stop()
  expect(await get(`${health.url}/healthz`)).toMatchObject({ status: 200 })
  expect(await get(`${health.url}/readyz`)).toEqual({
    status: 503,
    body: { ...ready, status: 'not_ready', redis: 'away' },
  })
})

test('asks the store once for all who probe, once a second at most, also while it hangs', async () => {
  await using redis = await startRedis()
  await using dir = await tempDir()
  let moved = 0
  let pings = 0
  const gate = Promise.withResolvers<void>()
  await using context = await createContext(configFor(dir.path, redis.url, '0'), {
    clock: { ...systemClock, monotonic: () => moved },
    store: (store) => ({
      ...store,
      async ping() {
        pings++
        await gate.promise
        return store.ping()
      },
    }),
  })
  await using health = await startHealthServer(context)
  const probe = async () => (await get(`${health.url}/readyz`)).body.store
  const many = () => Promise.all(Array.from({ length: 20 }, probe))

  expect([await many(), await probe(), pings]).toEqual([Array(20).fill('away'), 'away', 1])
  gate.resolve()
  await until(async () => (await probe()) === 'ok', { what: 'the store to answer' })
  expect([await many(), pings]).toEqual([Array(20).fill('ok'), 1])

  moved += SECOND
  expect([await many(), pings]).toEqual([Array(20).fill('ok'), 2])
})

test('is not served where no port is named, and says so where the port is taken', async () => {
  await using redis = await startRedis()
  await using dir = await tempDir()
  await using context = await createContext(configFor(dir.path, redis.url))
  await using none = await startHealthServer(context)
  expect(none.url).toBeNull()

  await using first = await createContext(configFor(dir.path, redis.url, '0'))
  await using served = await startHealthServer(first)
  await using second = await createContext(configFor(dir.path, redis.url, new URL(served.url!).port))
  await expect(startHealthServer(second)).rejects.toMatchObject({
    code: 'LISTEN_FAILED',
    message: expect.stringMatching(/EADDRINUSE\): check HEALTH_PORT/),
  })
})
