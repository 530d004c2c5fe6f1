import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { mongoForTests, startMongo, startMongoProcess, startMongoProxy, tempDir, until } from '../src/index.ts'
import { canConnect } from '../src/mongo/can-connect.ts'

describe('a MongoDB for tests', () => {
  beforeEach(async () => {
    await using nothing = await tempDir()
    vi.stubEnv('MONGODB_URI', '')
    vi.stubEnv('PATH', nothing.path)
    vi.stubEnv('HOME', nothing.path)
    vi.stubEnv('MONGOMS_VERSION', '4.4.0') // nobody has downloaded this one
    vi.stubEnv('TESTS_MUST_NOT_SKIP', '')
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })

  test.each([
    ['mongodb://db.test', 'mongodb://db.test/mine'],
    ['mongodb://db.test:27018/', 'mongodb://db.test:27018/mine'],
    ['mongodb://u:p%2F@a:1,b:2/other?replicaSet=rs', 'mongodb://u:p%2F@a:1,b:2/mine?replicaSet=rs'],
    ['mongodb://db.test?ssl=true', 'mongodb://db.test/mine?ssl=true'],
    ['mongodb+srv://u:p@db.test/', 'mongodb+srv://u:p@db.test/mine'],
  ])('is the one at MONGODB_URI: %s', async (uri, expected) => {
    vi.stubEnv('MONGODB_URI', uri)
    await using server = await startMongo()
    expect(server?.databaseUrl('mine')).toBe(expected)
  })

  test('none: says so in one line, or fails where nothing may be left out', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect(await mongoForTests('the fleet')).toBeNull()
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^Left out: the fleet \(no MongoDB: .*\)$/)]])
    vi.stubEnv('TESTS_MUST_NOT_SKIP', '1')
    await expect(mongoForTests('the fleet')).rejects.toThrow('the fleet cannot be tested: no MongoDB')
  })
})

describe('the proxy before a MongoDB', () => {
  /** A server that sends everything back. */
  async function startEcho() {
    const received: string[] = []
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        received.push(`${chunk}`)
        socket.write(chunk)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { url: `mongodb://127.0.0.1:${port}/mine`, received, [Symbol.dispose]: () => void server.close() }
  }

  async function open(url: string): Promise<{ socket: Socket; said: () => string } & Disposable> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let said = ''
    socket.on('data', (chunk) => {
      said += chunk
    })
    await once(socket, 'connect')
    return { socket, said: () => said, [Symbol.dispose]: () => void socket.destroy() }
  }

  test('has the same database and login, and keeps the driver to itself', async () => {
    await using proxy = await startMongoProxy('mongodb://u:p@127.0.0.1:1/mine?replicaSet=rs&appName=x')
    expect(proxy.url).toMatch(/^mongodb:\/\/u:p@127\.0\.0\.1:\d+\/mine\?appName=x&directConnection=true$/)
  })

  test('passes everything, both ways', async () => {
    using echo = await startEcho()
    await using proxy = await startMongoProxy(echo.url)
    using client = await open(proxy.url)
    client.socket.write('hello')
    expect(await until(() => client.said() === 'hello', { what: 'the answer' })).toBe(true)
  })

  test('refuses, and serves again on the same port', async () => {
    using echo = await startEcho()
    await using proxy = await startMongoProxy(echo.url)
    using client = await open(proxy.url)
    const closed = once(client.socket, 'close')
    await proxy.refuse()
    await closed
    await expect(open(proxy.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await proxy.restore()
    using again = await open(proxy.url)
    again.socket.write('hello')
    await until(() => again.said() === 'hello', { what: 'the answer' })
  })

  test('mutes answers alone, and gives up those that it muted', async () => {
    using echo = await startEcho()
    await using proxy = await startMongoProxy(echo.url)
    using client = await open(proxy.url)
    proxy.mute()
    client.socket.write('lost')
    await until(() => echo.received.includes('lost'), { what: 'the request to arrive' })
    const closed = once(client.socket, 'close')
    await proxy.restore()
    await closed
    expect(client.said()).toBe('')
  })
})

const own = await startMongoProcess()
if (!own) console.warn('Left out: a MongoDB that may be killed (no mongod on the PATH, no provisioned gateway)')

test.skipIf(!own)('a MongoDB of our own is gone when it is killed, and starts again on the same port', async () => {
  await using server = own!
  const port = Number(new URL(server.databaseUrl('mine')).port)
  const listens = () => canConnect(`mongodb://127.0.0.1:${port}/`)
  expect(await listens()).toBe(true)
  await server.kill()
  expect(await listens()).toBe(false)
  await server.start()
  expect(await listens()).toBe(true)
})
