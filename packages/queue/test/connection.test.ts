import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { systemClock } from '@tokenkeeper/core'
import { createLoggers } from '@tokenkeeper/telemetry'
import { startRedis } from '@tokenkeeper/testkit'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { checkRedis } from '../src/connection.ts'
import { enqueueRefresh } from '../src/enqueue.ts'
import { startHarness } from './harness.ts'

/** Without a deadline of ours they would wait for ever; a busy machine may stand still for a while. */
const NOT_FOR_EVER_MS = 15_000

const lines: string[] = []
const logger = createLoggers({ level: 'debug', format: 'json', destination: { write: (line) => lines.push(line) } })(
  't',
)
const check = (port: number, password?: string) =>
  checkRedis({ host: '127.0.0.1', port, ...(password && { password }) }, systemClock, logger)

describe('checkRedis', () => {
  test('passes a Redis that can be used', async () => {
    await using redis = await startRedis()
    await check(redis.port)
  })

  test.each([
    ['6.0.16', 'it is 6.0.16'],
    ['5.0.7', 'it is 5.0.7'],
    ['', 'it is of an unknown version'],
  ])('refuses version "%s" and names it', async (version, named) => {
    await using old = await startStub({ version })
    await expect(check(old.port)).rejects.toMatchObject({
      code: 'REDIS_TOO_OLD',
      message: expect.stringContaining(named),
    })
  })

  test.each(['6.2.0', '7.0.15', '8.2.1', '10.0.0'])('takes version %s', async (version) => {
    await using stub = await startStub({ version })
    await check(stub.port)
  })

  test('tells within 2 s that nothing listens, and where', async () => {
    const port = await closedPort()
    const began = performance.now()
    await expect(check(port)).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    })
    expect(performance.now() - began).toBeLessThan(NOT_FOR_EVER_MS)
  })

  test('tells within 2 s that what listens does not answer', async () => {
    await using stub = await startStub({ version: '7.0.0', silent: true })
    const began = performance.now()
    await expect(check(stub.port)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' })
    expect(performance.now() - began).toBeLessThan(NOT_FOR_EVER_MS)
  })

  test('says so when the login is refused, without the password', async () => {
    await using redis = await startRedis()
    using client = disposable(new Redis(redis.port))
    await client.value.config('SET', 'requirepass', 'right-password')
    await expect(check(redis.port, 'wrong-password')).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringMatching(/refuses the login(?!.*wrong-password)/),
    })
    await expect(check(redis.port)).rejects.toMatchObject({ message: expect.stringContaining('refuses the login') })
    await check(redis.port, 'right-password')
  })

  test('warns of a Redis that may evict jobs', async () => {
    await using redis = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
    await check(redis.port)
    expect(lines.some((line) => line.includes('"policy":"allkeys-lru"') && line.includes('maxmemory-policy'))).toBe(
      true,
    )
  })
})

describe('enqueueing fails within 2 s', () => {
  test('when Redis was never there', async () => {
    await using harness = await startHarness({ port: await closedPort() })
    await expectUnavailable(harness.deps)
  })

  test('when Redis went away, and works again when it is back', async () => {
    await using redis = await startRedis()
    await using harness = await startHarness({ port: redis.port })
    const accounts = await harness.addAccounts(1)
    const { queues, clock } = harness.deps
    const enqueue = () => enqueueRefresh(queues.refresh, accounts, { type: 'manual', clock })
    await enqueue()
    await redis.kill()
    await expectUnavailable(harness.deps)
    await redis.start()
    await expect.poll(() => enqueue().catch(() => null)).toHaveLength(1)
  })

  test('when Redis is full', async () => {
    await using redis = await startRedis()
    await using harness = await startHarness({ port: redis.port })
    using client = disposable(new Redis(redis.port))
    await client.value.config('SET', 'maxmemory', '1')
    await expectUnavailable(harness.deps)
  })

  test('when Redis hangs', async () => {
    await using redis = await startRedis()
    await using harness = await startHarness({ port: redis.port })
    await harness.deps.queues.refresh.waitUntilReady()
    process.kill(redis.pid, 'SIGSTOP')
    try {
      await expectUnavailable(harness.deps)
    } finally {
      process.kill(redis.pid, 'SIGCONT')
    }
  })
})

async function expectUnavailable({ queues, clock }: Awaited<ReturnType<typeof startHarness>>['deps']): Promise<void> {
  const began = performance.now()
  const enqueued = enqueueRefresh(queues.refresh, [{ id: 'a'.repeat(24), diesAt: null }], { type: 'manual', clock })
  await expect(enqueued).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' })
  expect(performance.now() - began).toBeLessThan(NOT_FOR_EVER_MS)
}

/** Speaks as much RESP as a client needs to learn the version; silent, it accepts and says nothing. */
async function startStub({ version, silent = false }: { version: string; silent?: boolean }) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    if (silent) return
    socket.on('data', (chunk) => {
      for (const [, command] of chunk.toString().matchAll(/^\*\d+\r\n\$\d+\r\n(\w+)/gm)) socket.write(reply(command!))
    })
  })
  const reply = (command: string) => {
    if (/^info$/i.test(command)) return bulk(`# Server\r\n${version && `redis_version:${version}\r\n`}loading:0\r\n`)
    if (/^ping$/i.test(command)) return '+PONG\r\n'
    return /^hello$/i.test(command) ? "-ERR unknown command 'hello'\r\n" : '+OK\r\n'
  }
  await listening(server)
  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const disposable = (value: Redis) => ({ value, [Symbol.dispose]: () => value.disconnect() })

const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`

async function closedPort(): Promise<number> {
  const server = await listening(createServer())
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

async function listening(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
