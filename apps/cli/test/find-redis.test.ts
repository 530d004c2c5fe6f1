import { mkdtemp, readdir, symlink, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { Secret } from '@tokenkeeper/config'
import { systemClock } from '@tokenkeeper/core'
import { checkRedis } from '@tokenkeeper/queue'
import { createLoggers } from '@tokenkeeper/telemetry'
import { freePort, redisAvailable, redisServerPath, spawnNode, startRedis, tempDir, until } from '@tokenkeeper/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findRedis } from '../src/redis/find-redis.ts'
import { pathWithRedis, sendRedis } from './own-redis.ts'

const logger = createLoggers({ level: 'silent', format: 'json' })('redis')
const deps = { clock: systemClock, logger }
const { PATH } = process.env

let dir: Awaited<ReturnType<typeof tempDir>>
beforeEach(async () => {
  dir = await tempDir()
  process.env.PATH = await pathWithRedis(dir.path)
})
afterEach(async () => {
  process.env.PATH = PATH
  await dir[Symbol.asyncDispose]()
})

const nothing = () => ({ redis: undefined, dataDir: dir.path })

describe.runIf(redisAvailable())('findRedis', () => {
  test('takes the configured one, whatever else there is', async () => {
    const redis = { host: 'redis.test', port: 1, username: 'u', password: new Secret('p'), db: 3, tls: true }
    await using found = await findRedis({ ...nothing(), redis }, deps)
    expect(found.config).toBe(redis)
    expect(found.where).toBe('redis.test:1, as configured')
  })

  test('takes the one of this machine', async () => {
    await using redis = await startRedis()
    await using found = await findRedis(nothing(), { ...deps, localPort: redis.port })
    expect(found.config).toMatchObject({ host: '127.0.0.1', port: redis.port, password: undefined })
    expect(await readdir(dir.path)).toEqual(['bin'])
  })

  test('starts one of our own where there is none, keeps its data, and ends it', async () => {
    const found = await findRedis(nothing(), { ...deps, localPort: await freePort() })
    const { host, port, password } = found.config
    await checkRedis({ host, port, password: password!.reveal() }, systemClock, logger)
    await expect(checkRedis({ host, port }, systemClock, logger)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' })
    expect(await readdir(join(dir.path, 'redis'))).toContain('appendonlydir')

    await expect(findRedis(nothing(), { ...deps, localPort: await freePort() })).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining('Another Tokenkeeper runs its own Redis'),
    })
    await found[Symbol.asyncDispose]()
    await expect(checkRedis({ host, port, password: password!.reveal() }, systemClock, logger)).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
    })

    await using again = await findRedis(nothing(), { ...deps, localPort: await freePort() })
    expect(again.where).toContain('of its own')
  })

  test('passes over one that wants a password', async () => {
    await using redis = await startRedis()
    await sendRedis(redis, 'CONFIG SET requirepass somebody-elses')
    await using found = await findRedis(nothing(), { ...deps, localPort: redis.port })
    expect(found.config.port).not.toBe(redis.port)
  })

  test('passes over what is no Redis', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await until(() => silent.listening, { what: 'the silent server' })
    const { port } = silent.address() as { port: number }
    await using found = await findRedis(nothing(), { ...deps, localPort: port })
    expect(found.where).toContain('of its own')
    silent.close()
  })

  test('starts a valkey-server where there is no redis-server', async () => {
    const bin = await mkdtemp(join(dir.path, 'bin-'))
    await symlink(redisServerPath()!, join(bin, 'valkey-server'))
    process.env.PATH = bin
    await using found = await findRedis(nothing(), { ...deps, localPort: await freePort() })
    expect(found.where).toContain('a valkey-server of its own')
  })

  test('tells how to get one where there is none at all', async () => {
    process.env.PATH = dir.path
    await expect(findRedis(nothing(), { ...deps, localPort: await freePort() })).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringMatching(/apt install .*brew install .*docker run .*REDIS_URL/),
    })
  })

  test('says so if the server does not come up', async () => {
    const bin = await mkdtemp(join(dir.path, 'bin-'))
    await writeFile(join(bin, 'redis-server'), '#!/bin/sh\necho broken; exit 3\n', { mode: 0o755 })
    process.env.PATH = `${bin}:${PATH}`
    await expect(findRedis(nothing(), { ...deps, localPort: await freePort() })).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining('redis-server could not be started'),
    })
  })

  test('our own ends with us, however we end', async () => {
    const fixture = new URL('./fixtures/own-redis.ts', import.meta.url).pathname
    await using owner = spawnNode(fixture, { args: [dir.path, `${await freePort()}`] })
    const [, port] = await owner.waitForLine(/^port (\d+)$/)
    owner.kill('SIGKILL')
    await until(() => refuses(Number(port)), { what: 'the Redis to end' })
  })
})

function refuses(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(true))
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
  })
}
