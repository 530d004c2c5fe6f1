import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { type RedisServer, redisAvailable, startRedis, tempDir, until } from '../src/index.ts'

/** Runs one command on a connection of its own. */
async function ask<T>({ url }: { url: string }, command: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return await command(redis)
  } finally {
    redis.disconnect()
  }
}

const get = (server: RedisServer) => ask(server, (redis) => redis.get('key'))
const set = (server: RedisServer) => ask(server, (redis) => redis.set('key', 'value'))

describe.runIf(redisAvailable())('an own redis-server', () => {
  test('is there when started, on loopback alone, and gone when disposed', async () => {
    let url: string
    {
      await using server = await startRedis({ args: ['--maxmemory', '12345678'] })
      url = server.url
      expect(new URL(url).port).toBe(`${server.port}`)
      await set(server)
      expect(await get(server)).toBe('value')
      expect(await ask(server, (redis) => redis.config('GET', 'maxmemory'))).toContain('12345678')
      expect(await ask(server, (redis) => redis.config('GET', 'bind'))).toContain('127.0.0.1')
    }
    await expect(ask({ url }, (redis) => redis.ping())).rejects.toThrow()
  })

  test('forgets all at a stop, and keeps its port', async () => {
    await using server = await startRedis()
    await set(server)
    const { pid } = server
    await server.stop()
    await expect(get(server)).rejects.toThrow()
    await server.start()
    expect(await get(server)).toBe(null)
    expect(server.pid).not.toBe(pid)
  })

  test('append-only: a stop loses nothing, and the directory is kept', async () => {
    await using dir = await tempDir()
    {
      await using server = await startRedis({ appendOnlyDir: dir.path, args: ['--appendfsync', 'always'] })
      await set(server)
      await server.kill()
      await server.start()
      expect(await get(server)).toBe('value')
    }
    await using server = await startRedis({ appendOnlyDir: dir.path })
    expect(await get(server)).toBe('value')
  })

  test('several at once have ports of their own', async () => {
    const servers = await Promise.all(Array.from({ length: 5 }, () => startRedis()))
    try {
      expect(new Set(servers.map(({ port }) => port)).size).toBe(5)
      expect(new Set(await Promise.all(servers.map((server) => runId(server)))).size).toBe(5)
    } finally {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
    }
  })

  test('takes a given port, again and again, but not one that is taken', async () => {
    await using first = await startRedis()
    await expect(startRedis({ port: first.port })).rejects.toThrow('The port stays taken')
    await first.stop()
    await using second = await startRedis({ port: first.port })
    expect(second.port).toBe(first.port)
  })

  test('says why it does not start', async () => {
    await expect(startRedis({ args: ['--no-such-option', '1'] })).rejects.toThrow('no-such-option')
  })

  test('start twice and stop twice are harmless', async () => {
    await using server = await startRedis()
    const { pid } = server
    await server.start()
    expect(server.pid).toBe(pid)
    await server.kill()
    await server.stop()
    await until(
      () =>
        get(server).then(
          () => false,
          () => true,
        ),
      { what: 'Redis to be gone' },
    )
  })
})

const runId = (server: RedisServer) =>
  ask(server, async (redis) => /run_id:(\w+)/.exec(await redis.info('server'))?.[1])
