import { makeId } from '@tokenkeeper/core'
import { mongoForTests, startMongoProxy, until } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildAccount, buildLogEntry } from '../src/conformance/build-account.ts'
import type { Store } from '../src/index.ts'
import { createMongoStore } from '../src/mongo/index.ts'
import { type MongoDatabase, openDatabase } from '../test/support/mongo-fixture.ts'

const server = await mongoForTests('a MongoDB that goes away')

const UNAVAILABLE = { code: 'STORE_UNAVAILABLE' }
/** An answer within 5 s, on a machine that may be busy. */
const SOON_MS = 20_000

/** One call of every kind. */
function calls(store: Store, id: string): (() => Promise<unknown>)[] {
  const { accounts, log, events, audit, runs, apiKeys } = store
  return [
    () => store.ping(),
    () => accounts.get(id),
    () => accounts.write({ name: 'x', accountId: id, when: {}, change: {} }),
    () => accounts.insert(buildAccount()),
    () => accounts.due({ platform: 'meta', statusIn: ['active'], before: 1, after: null, limit: 1 }),
    () => log.put([buildLogEntry()]),
    () => events.list({ limit: 1 }),
    () => audit.list({ limit: 1 }),
    () => runs.unfinished(1),
    () => apiKeys.list(),
  ]
}

async function allFailSoon(store: Store, id: string): Promise<void> {
  const start = performance.now()
  const results = await Promise.allSettled(calls(store, id).map((call) => call()))
  expect(performance.now() - start).toBeLessThan(SOON_MS)
  for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: UNAVAILABLE })
}

async function worksAgain(store: Store, id: string): Promise<void> {
  await until(() => store.ping().then(() => true), { what: 'the store to be back' })
  for (const call of calls(store, id)) await call()
}

describe.skipIf(server === null)('a MongoDB that', () => {
  let database: MongoDatabase
  beforeAll(async () => {
    database = await openDatabase(server!)
  })
  afterAll(async () => {
    await database[Symbol.asyncDispose]()
    await server![Symbol.asyncDispose]()
  })

  test('refuses connections: unavailable soon, and well again when it is back', async () => {
    await using proxy = await startMongoProxy(database.url)
    await using store = await createMongoStore({ url: proxy.url })
    const account = buildAccount()
    await store.accounts.insert(account)
    await proxy.refuse()
    await allFailSoon(store, account.id)
    const opening = createMongoStore({ url: proxy.url })
    await expect(opening).rejects.toMatchObject(UNAVAILABLE)
    await proxy.restore()
    await worksAgain(store, account.id)
    expect(await store.accounts.get(account.id)).toStrictEqual(account)
  })

  test('answers no more: unavailable soon, and well again when it is back', async () => {
    await using proxy = await startMongoProxy(database.url)
    await using store = await createMongoStore({ url: proxy.url })
    const account = buildAccount()
    await store.accounts.insert(account)
    proxy.mute()
    await allFailSoon(store, account.id)
    await proxy.restore()
    await worksAgain(store, account.id)
  })

  test('an answer that is lost says nothing about its write', async () => {
    await using proxy = await startMongoProxy(database.url)
    await using store = await createMongoStore({ url: proxy.url })
    await using observer = await createMongoStore({ url: database.url })
    const account = buildAccount()
    await store.accounts.insert(account)
    proxy.mute()
    const change = { set: { generation: 2, sealedCredential: 'successor' }, keepPrevious: true }
    const commit = { name: 'commit', accountId: account.id, when: { generation: 1 }, change }
    await expect(store.accounts.write(commit)).rejects.toMatchObject(UNAVAILABLE)
    const arrived = await until(async () => (await observer.accounts.get(account.id))?.generation === 2, {
      what: 'the write to have arrived',
    })
    expect(arrived).toBe(true)
    await proxy.restore()
    await until(() => store.ping().then(() => true), { what: 'the store to be back' })
    expect(await store.accounts.write(commit)).toBe(false)
    expect(await store.accounts.get(account.id)).toMatchObject({ previousCredential: account.sealedCredential })
  })

  test('breaks all connections amid calls, again and again, is well again each time', async () => {
    await using proxy = await startMongoProxy(database.url)
    await using store = await createMongoStore({ url: proxy.url })
    const account = buildAccount()
    await store.accounts.insert(account)
    for (let i = 0; i < 3; i++) {
      proxy.mute()
      const waiting = Promise.allSettled(calls(store, account.id).map((call) => call()))
      await proxy.restore() // the answers of these calls are lost, their connections closed
      await waiting
      await worksAgain(store, account.id)
    }
  })

  test('closes while it is away', async () => {
    await using proxy = await startMongoProxy(database.url)
    const store = await createMongoStore({ url: proxy.url })
    proxy.mute()
    const waiting = store.accounts.get(makeId())
    const closed = store[Symbol.asyncDispose]()
    await expect(waiting).rejects.toMatchObject(UNAVAILABLE)
    await closed
  })
})
