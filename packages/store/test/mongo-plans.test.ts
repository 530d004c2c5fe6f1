import { makeId, PLATFORMS } from '@tokenkeeper/core'
import { mongoForTests } from '@tokenkeeper/testkit'
import type { mongo } from 'mongoose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AT,
  buildAccount,
  buildAttempt,
  buildLogEntry,
  buildLogItem,
  buildPage,
} from '../src/conformance/build-account.ts'
import { findDue, findExpiring, findListed, findPagesDue, findStale, findWithOutbox } from '../src/mongo/accounts.ts'
import { type Found, type StoredDocument, toId } from '../src/mongo/codec.ts'
import { findNewest } from '../src/mongo/entries.ts'
import { countFailures, countRefreshes } from '../src/mongo/log.ts'
import { findExpiringPages, findOfAccount } from '../src/mongo/pages.ts'
import { findOldest } from '../src/mongo/prune.ts'
import { findLatest, findUnfinished } from '../src/mongo/runs.ts'
import { findScanned } from '../src/mongo/scan.ts'
import { isDocumentDb, planOf } from './support/explain.ts'
import { type MongoDatabase, openDatabase, openMongoFixture } from './support/mongo-fixture.ts'

const server = await mongoForTests('query plans of a MongoDB')

const due = { platform: 'bluesky', before: AT + 500, limit: 20 } as const
const FIRST = `${'0'.repeat(23)}1`
const after = { nextRefreshAt: AT + 100, id: makeId() }
const accountId = makeId()
const pagesDue = { at: AT + 900, limit: 20 } as const
const pagesAfter = { pagesDueAt: AT + 100, id: makeId() }
const expiring = { from: AT, before: AT + 500, limit: 20 } as const
const afterEnd = { endsAt: AT + 100, id: makeId() }
const afterPageEnd = { tokenExpiresAt: AT + 100, id: makeId() }
const runs = (db: mongo.Db) => db.collection<StoredDocument>('runs')
const pages = (db: mongo.Db) => db.collection<StoredDocument>('account_pages')
const log = (db: mongo.Db) => db.collection<StoredDocument>('refresh_log')
const accounts = (db: mongo.Db) => db.collection<StoredDocument>('accounts')

const CASES: [name: string, index: string, find: (db: mongo.Db) => Found][] = [
  ['due', 'due', (db) => findDue(accounts(db), { ...due, after: null }, 'active')],
  ['due, after a cursor', 'due', (db) => findDue(accounts(db), { ...due, after }, 'active')],
  ['Pages due', 'pagesDue', (db) => findPagesDue(accounts(db), { ...pagesDue, after: null }, 'meta')],
  [
    'Pages due, after a cursor',
    'pagesDue',
    (db) => findPagesDue(accounts(db), { ...pagesDue, after: pagesAfter }, 'meta'),
  ],
  ['dying', 'dies', (db) => findExpiring(accounts(db), { ...expiring, after: null }, 'meta', 'diesAt')],
  [
    'dying, after a cursor',
    'dies',
    (db) => findExpiring(accounts(db), { ...expiring, after: afterEnd }, 'meta', 'diesAt'),
  ],
  [
    'losing access to data, after a cursor',
    'dataAccess',
    (db) => findExpiring(accounts(db), { ...expiring, after: afterEnd }, 'meta', 'dataAccessExpiresAt'),
  ],
  ['expiring Pages', 'expiring', (db) => findExpiringPages(pages(db), { ...expiring, after: null })],
  [
    'expiring Pages, after a cursor',
    'expiring',
    (db) => findExpiringPages(pages(db), { ...expiring, after: afterPageEnd }),
  ],
  ['Pages of an account', 'account', (db) => findOfAccount(pages(db), accountId, { afterId: null, limit: 20 })],
  ['stale', 'stale', (db) => findStale(accounts(db), AT, 20)],
  ['with outbox', 'outbox', (db) => findWithOutbox(accounts(db), null, 20)],
  ['with outbox, after a cursor', 'outbox', (db) => findWithOutbox(accounts(db), FIRST, 20)],
  ['list', '_id_', (db) => findListed(accounts(db), { platform: 'meta', afterId: FIRST, limit: 20 })],
  ['list, of an owner', 'login', (db) => findListed(accounts(db), { ownerId: 'owner-3', afterId: null, limit: 20 })],
  ['log', 'time', (db) => findNewest(log(db), 'refreshedAt', {}, 20)],
  ['log, of an account', 'account', (db) => findNewest(log(db), 'refreshedAt', { accountId: toId(accountId) }, 20)],
  ['log, failures', 'success', (db) => findNewest(log(db), 'refreshedAt', { success: false }, 20)],
  ['latest run', 'latest', (db) => findLatest(runs(db), 'bluesky-weekly')],
  ['a scan', '_id_', (db) => findScanned(log(db), null, 20)],
  ['a scan, after an id', '_id_', (db) => findScanned(log(db), FIRST, 20)],
  ['a scan, after an id of another form', '_id_', (db) => findScanned(log(db), `${FIRST}:page`, 20)],
  ['unfinished runs', 'unfinished', (db) => findUnfinished(runs(db), 20)],
  ['the oldest of the log', 'time', (db) => findOldest(log(db), 'refreshedAt', AT + 500, 20)],
  ['the runs that ended first', 'unfinished', (db) => findOldest(runs(db), 'finishedAt', AT + 1, 20)],
]

/** So few that MongoDB may sort them. */
const FEW = new Set(['list, of an owner', 'Pages of an account'])

describe.skipIf(server === null)('served by an index', () => {
  let database: MongoDatabase
  beforeAll(async () => {
    database = await openDatabase(server!)
    await using fixture = await openMongoFixture(database)
    const { store } = fixture
    const some = Array.from({ length: 2_000 }, (_, i) =>
      buildAccount({
        platform: PLATFORMS[i % 4]!,
        status: i % 5 ? 'active' : 'paused',
        ownerId: `owner-${i % 300}`,
        nextRefreshAt: AT + i,
        attempt: i % 100 ? null : buildAttempt({ leaseUntil: AT - i }),
        outbox: i % 90 ? [] : [buildLogItem()],
        pagesDueAt: i % 20 === 1 ? AT + i : null,
        diesAt: AT + i,
        dataAccessExpiresAt: i % 3 ? null : AT + (i % 2 ? i - 1 : i + 1),
      }),
    )
    await Promise.all(some.map((account) => store.accounts.insert(account)))
    await store.log.put(
      some.map(({ id }, i) =>
        buildLogEntry({ accountId: i % 50 ? id : accountId, refreshedAt: AT + i, success: i % 20 !== 0 }),
      ),
    )
    await store.pages.put(
      some.map(({ id }, i) => buildPage({ accountId: i % 50 ? id : accountId, tokenExpiresAt: i % 9 ? null : AT + i })),
    )
    const totals = { total: 0, refreshed: 0, failed: 0, skipped: 0, deferred: 0, platforms: {} }
    const run = {
      scheduleId: 'bluesky-weekly',
      filter: {},
      requestedBy: 'x',
      startedAt: AT,
      cursor: null,
      window: null,
      totals,
    }
    for (let i = 0; i < 200; i++) {
      const finishedAt = i % 50 ? AT : null
      await store.runs.insert({ ...run, id: makeId(), occurrence: `${i}`, createdAt: AT + i, finishedAt })
    }
  })
  afterAll(async () => {
    await database[Symbol.asyncDispose]()
    await server![Symbol.asyncDispose]()
  })

  test.each(CASES)('%s', async (name, index, find) => {
    const explained = await find(database.db).explain('queryPlanner')
    const plan = planOf(explained)
    expect(plan.indexes).toEqual([index])
    expect(plan.scansAll).toBe(false)
    // DocumentDB sorts whatever the index.
    if (!isDocumentDb(explained) && !FEW.has(name)) expect(plan.sorts).toBe(false)
    expect(await find(database.db).limit(5).toArray()).not.toHaveLength(0)
  })

  test.each<[string, string, (db: mongo.Db) => mongo.AggregationCursor<mongo.BSON.Document>]>([
    ['counts of refreshes', 'time', (db) => countRefreshes(log(db), AT + 1_900)],
    ['counts of failures', 'success', (db) => countFailures(log(db), { since: AT + 1_900, topFailures: 9 })],
  ])('%s', async (_, index, count) => {
    const plan = planOf(await count(database.db).explain('queryPlanner'))
    expect(plan.indexes).toEqual([index])
    expect(plan.scansAll).toBe(false)
    expect(await count(database.db).toArray()).not.toHaveLength(0)
  })
})
