import { inspect } from 'node:util'
import { mongo } from 'mongoose'
import { describe, expect, test } from 'vitest'
import { createMongoStore } from '../src/mongo/index.ts'
import { SCHEMA_VERSION } from '../src/mongo/prepare.ts'
import { startWireServer } from './support/wire-server.ts'

const HELLO = {
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  maxWireVersion: 21,
}
const isHello = (command: string) => /^(hello|ismaster)$/i.test(command)
/** The answer to what a store reads first. */
const madeBy = (version: number) => ({
  cursor: { id: mongo.Long.ZERO, ns: 'stub.meta', firstBatch: [{ _id: 'schema', version }] },
})

async function errorOf(action: () => Promise<unknown>): Promise<unknown> {
  return action().then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error,
  )
}

async function openFails(url: string): Promise<unknown> {
  return errorOf(async () => {
    await using _ = await createMongoStore({ url })
  })
}

describe('at a server that', () => {
  test('is too old', async () => {
    await using server = await startWireServer(() => ({ ...HELLO, maxWireVersion: 6 }))
    expect(await openFails(server.url)).toMatchObject({ code: 'STORE_TOO_OLD' })
    expect(server.commands.filter((command) => !isHello(command))).toEqual([])
  })

  test('is a member of a replica set without a primary', async () => {
    await using server = await startWireServer((_, address) => ({
      ...HELLO,
      isWritablePrimary: false,
      ismaster: false,
      secondary: true,
      setName: 'rs',
      hosts: [address],
      me: address,
    }))
    expect(await openFails(`${server.url}?replicaSet=rs`)).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'The database answers but takes no writes now: it has no primary, or is read-only.',
    })
  })

  test('stepped down or is read-only', async () => {
    await using server = await startWireServer((command) => {
      if (isHello(command)) return HELLO
      if (command === 'find') return madeBy(SCHEMA_VERSION)
      if (command !== 'update') return {}
      return { ok: 0, code: 10107, codeName: 'NotWritablePrimary', errmsg: 'not primary' }
    })
    await using store = await createMongoStore({ url: server.url })
    expect(await errorOf(() => store.ping())).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'The database answers but takes no writes now: it has no primary, or is read-only.',
    })
  })

  test('acknowledges a write, but no majority has it', async () => {
    await using server = await startWireServer((command) => {
      if (isHello(command)) return HELLO
      if (command === 'find') return madeBy(SCHEMA_VERSION)
      if (command !== 'update') return {}
      return { n: 1, nModified: 1, writeConcernError: { code: 64, codeName: 'WriteConcernFailed', errmsg: 'waiting' } }
    })
    await using store = await createMongoStore({ url: server.url })
    expect(await errorOf(() => store.ping())).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const write = { name: 'commit', accountId: '0'.repeat(24), when: {}, change: { set: { generation: 2 } } }
    expect(await errorOf(() => store.accounts.write(write))).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  test('refuses the login', async () => {
    await using server = await startWireServer((command) => {
      if (isHello(command)) return HELLO
      return { ok: 0, code: 18, codeName: 'AuthenticationFailed', errmsg: 'Authentication failed.' }
    })
    const error = await openFails(server.url.replace('//', '//keeper:hunter2@'))
    expect(error).toMatchObject({ code: 'STORE_REFUSED' })
    expect(server.commands).toContain('saslStart')
    expectNoPassword(error)
  })

  test('lets nothing be written by this user', async () => {
    await using server = await startWireServer((command) => {
      if (isHello(command)) return HELLO
      return { ok: 0, code: 13, codeName: 'Unauthorized', errmsg: 'not authorized on stub' }
    })
    expect(await openFails(server.url)).toMatchObject({ code: 'STORE_REFUSED' })
  })

  test('was used by a newer Tokenkeeper', async () => {
    await using server = await startWireServer((command) => {
      if (isHello(command)) return HELLO
      return madeBy(999)
    })
    expect(await openFails(server.url)).toMatchObject({ code: 'STORE_TOO_NEW' })
    expect(server.commands.filter((command) => !isHello(command) && command !== 'endSessions')).toEqual(['find'])
  })
})

describe('of two processes that make the database at once', () => {
  test.each([
    ['createIndexes', { code: 117, codeName: 'ConflictingOperationInProgress', errmsg: 'conflict' }],
    ['createIndexes', { code: 1, codeName: 'InternalError', errmsg: 'deadlock detected' }],
    ['collMod', { code: 112, codeName: 'WriteConflict', errmsg: 'conflict' }],
  ])('the one whose %s is turned away goes on: %o', async (turnedAway, failure) => {
    let left = 3
    await using server = await startWireServer((command) => {
      if (isHello(command)) return HELLO
      if (command === 'find') return madeBy(0)
      return command === turnedAway && left-- > 0 ? { ok: 0, ...failure } : { n: 1 }
    })
    await using _ = await createMongoStore({ url: server.url })
    expect(left).toBeLessThan(0)
    expect(server.commands.filter((command) => command === 'update')).toHaveLength(1)
  })

  test('any other failure is not repeated', async () => {
    await using server = await startWireServer((command) => {
      if (isHello(command)) return HELLO
      if (command === 'find') return madeBy(SCHEMA_VERSION)
      return { ok: 0, code: 85, codeName: 'IndexOptionsConflict', errmsg: 'an index of that name has other options' }
    })
    expect(await openFails(server.url)).toMatchObject({ code: 'INTERNAL' })
    expect(server.commands.filter((command) => command === 'find')).toHaveLength(1)
  })
})

describe('a URL', () => {
  test.each([
    ['mongodb://keeper:hunter2@db.test'],
    ['mongodb://keeper:hunter2@db.test/'],
    ['mongodb://keeper:hunter2@db.test/?w=1'],
    ['mongodb://keeper:hunter2@@db.test/tokens'],
    ['mongodb://keeper:hunter2@db.test:port/tokens'],
    ['mongodb://keeper:hunter2@db.test/tokens?noSuchOption=1'],
    ['mongodb+srv://keeper:hunter2@a,b/tokens'],
    ['mongodb:///tokens-hunter2'],
  ])('that cannot be used is not repeated: %s', async (url) => {
    const error = await openFails(url)
    expect(error).toMatchObject({ code: 'STORE_URL_UNKNOWN' })
    expectNoPassword(error)
  })

  test('keeps its password when the server is away', async () => {
    await using server = await startWireServer(() => ({}))
    const { url } = server
    await server[Symbol.asyncDispose]()
    const error = await openFails(url.replace('//', '//keeper:hunter2@'))
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expectNoPassword(error)
  })
})

function expectNoPassword(error: unknown): void {
  expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain('hunter2')
  expect(`${(error as { internal?: string }).internal}`).not.toContain('hunter2')
}
