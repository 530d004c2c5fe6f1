import { makeId } from '@tokenkeeper/core'
import { mongoForTests } from '@tokenkeeper/testkit'
import type { mongo } from 'mongoose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AT, buildAccount, buildAttempt, buildLogEntry, buildLogItem } from '../src/conformance/build-account.ts'
import { buildRun } from '../src/conformance/runs.ts'
import { openStore } from '../src/index.ts'
import { type StoredDocument, toId } from '../src/mongo/codec.ts'
import { createMongoStore } from '../src/mongo/index.ts'
import { type MongoDatabase, openDatabase, openMongoFixture } from './support/mongo-fixture.ts'

const server = await mongoForTests('opening a MongoDB store')

const FULL = buildAccount({
  status: 'paused',
  previousCredential: 'v1.key-0.old',
  previousKeyId: 'key-0',
  failure: { count: 1, class: 'transient', code: 'PROVIDER_TIMEOUT', since: AT },
  attempt: buildAttempt(),
  lastAttempt: { id: makeId(), outcome: 'failed', generation: 1, at: AT },
  outbox: [buildLogItem()],
})

describe.skipIf(server === null)('a MongoDB store', () => {
  let database: MongoDatabase
  beforeAll(async () => {
    database = await openDatabase(server!)
  })
  afterAll(async () => {
    await database[Symbol.asyncDispose]()
    await server![Symbol.asyncDispose]()
  })

  test('is what openStore opens at a mongodb: URL', async () => {
    await using store = await openStore(database.url)
    await store.ping()
  })

  test('that must exist is not made where there is none', async () => {
    await using empty = await openDatabase(server!)
    await expect(openStore(empty.url, { mustExist: true })).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
    expect(await empty.db.listCollections().toArray()).toEqual([])
    await (await openStore(empty.url))[Symbol.asyncDispose]()
    await using store = await openStore(empty.url, { mustExist: true })
    await store.ping()
  })

  test('keeps ids as ObjectIds and times as dates, which mongosh shows', async () => {
    await using fixture = await openMongoFixture(database)
    await fixture.store.accounts.insert(FULL)
    const entry = buildLogEntry({ accountId: FULL.id })
    await fixture.store.log.put([entry])
    const [account, logged] = await Promise.all(
      ['accounts', 'refresh_log'].map((name) => database.db.collection(name).findOne()),
    )
    expect(account?._id.toHexString()).toBe(FULL.id)
    expect(account).toMatchObject({
      nextRefreshAt: new Date(AT),
      lastRefreshedAt: null,
      attempt: { leaseUntil: new Date(AT + 12_000), unknownSince: null },
      failure: { since: new Date(AT) },
    })
    expect(logged?.accountId.toHexString()).toBe(FULL.id)
    expect(logged).toMatchObject({ refreshedAt: new Date(AT), success: true })
  })

  test('reads what an earlier version wrote, and writes it on', async () => {
    await using fixture = await openMongoFixture(database)
    const { accounts, runs } = fixture.store
    const [account, run] = [buildAccount(), buildRun()]
    await accounts.insert(account)
    await runs.insert(run)
    await database.db.collection('accounts').updateMany({}, { $unset: { formerCredentials: 1 } })
    await database.db.collection('runs').updateMany({}, { $unset: { window: 1 } })
    expect(await accounts.get(account.id)).toStrictEqual(account)
    expect(await runs.get(run.id)).toStrictEqual(run)
    const window = [{ id: account.id, attempted: 'none', snoozedAt: null }]
    expect(await runs.beginWindow(run.id, null, window)).toBe(true)
    expect(await runs.get(run.id)).toStrictEqual({ ...run, window })
  })

  test.each<[string, mongo.UpdateFilter<mongo.BSON.Document>]>([
    ['a status that does not exist', { $set: { status: 'Active' } }],
    ['a platform that does not exist', { $set: { platform: 'myspace' } }],
    ['a time as a number', { $set: { nextRefreshAt: AT } }],
    ['a generation as text', { $set: { generation: '2' } }],
    ['no credential', { $unset: { sealedCredential: 1 } }],
    ['an attempt without its lease', { $unset: { 'attempt.leaseUntil': 1 } }],
    ['an outbox that is no list', { $set: { outbox: null } }],
  ])('lets nobody write %s', async (_, update) => {
    await using fixture = await openMongoFixture(database)
    await fixture.store.accounts.insert(FULL)
    await expect(database.db.collection('accounts').updateOne({}, update)).rejects.toThrow(/validation/i)
    expect(await fixture.store.accounts.get(FULL.id)).toStrictEqual(FULL)
  })

  test('a run that an earlier version stored is of a list of platforms now, and its marker among the runs goes', async () => {
    await using fixture = await openMongoFixture(database)
    const [run, other] = [buildRun({ filter: { dueBefore: AT } }), buildRun()]
    const marker = buildRun({ occurrence: 'first-seen' })
    for (const each of [run, other, marker]) await fixture.store.runs.insert(each)
    await database.db
      .collection<StoredDocument>('runs')
      .updateOne({ _id: toId(run.id) }, { $set: { 'filter.platform': 'meta' } })
    await database.db.collection<{ _id: string }>('meta').updateOne({ _id: 'schema' }, { $set: { version: 3 } })
    const { runs } = await fixture.openSecond()
    expect(await runs.get(run.id)).toStrictEqual({ ...run, filter: { platforms: ['meta'], dueBefore: AT } })
    expect(await runs.get(other.id)).toStrictEqual(other)
    expect(await runs.get(marker.id)).toBeNull()
  })

  test('makes an index again that somebody dropped', async () => {
    await using fixture = await openMongoFixture(database)
    const accounts = database.db.collection('accounts')
    const names = async () => (await accounts.indexes()).map(({ name }) => name).toSorted()
    const complete = await names()
    expect(complete).toEqual([
      '_id_',
      'atProvider',
      'dataAccess',
      'dies',
      'due',
      'login',
      'outbox',
      'pagesDue',
      'stale',
    ])
    await accounts.dropIndex('due')
    await fixture.openSecond()
    expect(await names()).toEqual(complete)
  })

  test('refuses a database that a newer version made, and leaves it alone', async () => {
    await using fresh = await openDatabase(server!)
    await fresh.db.collection<{ _id: string; version: number }>('meta').insertOne({ _id: 'schema', version: 999 })
    await expect(createMongoStore({ url: fresh.url })).rejects.toMatchObject({ code: 'STORE_TOO_NEW' })
    expect((await fresh.db.collections()).map(({ collectionName }) => collectionName)).toEqual(['meta'])
  })

  test('passes the kill point after a write between its effect and its acknowledgement', async () => {
    const seen: unknown[] = []
    await using fixture = await openMongoFixture(database, {
      async hook(point) {
        seen.push(point, (await database.db.collection('accounts').findOne())?.generation)
      },
    })
    const account = buildAccount()
    await fixture.store.accounts.insert(account)
    const write = { name: 'commit', accountId: account.id, when: { generation: 1 }, change: { set: { generation: 2 } } }
    seen.push(await fixture.store.accounts.write(write))
    expect(seen).toEqual(['commit.applied-before-ack', 2, true])
    expect(await fixture.store.accounts.write(write)).toBe(false)
    expect(seen).toHaveLength(3)
  })

  test('tells of each write in a batch whether it matched', async () => {
    await using fixture = await openMongoFixture(database)
    const { accounts } = fixture.store
    const all = Array.from({ length: 60 }, (_, i) => buildAccount({ generation: i % 7 ? 1 : 2 }))
    await Promise.all(all.map((account) => accounts.insert(account)))
    const change = { set: { displayName: 'hit' } }
    const results = await Promise.all(
      all.map(({ id }) => accounts.write({ name: 'x', accountId: id, when: { generation: 1 }, change })),
    )
    expect(results).toEqual(all.map(({ generation }) => generation === 1))
  })
})
