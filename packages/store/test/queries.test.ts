import { DatabaseSync } from 'node:sqlite'
import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildAccount } from '../src/conformance/build-account.ts'
import { type MongoDatabase, openDatabase, openMongoFixture } from './support/mongo-fixture.ts'
import { ACCOUNTS, fillForQueries, LOG, NOW, PAGES } from './support/queries-fixture.ts'
import { inMongosh, plain, QUERY_PAGE, querySections } from './support/query-page.ts'
import { openSqliteFixture, type SqliteFixture } from './support/sqlite-fixture.ts'

const { ada, bob, cleo, dan, eve, fay } = ACCOUNTS
const { bakery, closed, denied, ending } = PAGES
const server = await mongoForTests('queries of the docs')

const text = (ms: number | null) => ms && new Date(ms).toISOString().slice(0, 19).replace('T', ' ')

type Found = readonly object[]

/** What each section's queries find, block by block. */
const EXPECTED: Readonly<Record<string, { readonly sql: readonly Found[]; readonly mongosh: readonly Found[] }>> = {
  'Which accounts expire within 7 days': {
    sql: [
      [ada, bob].map((one) => ({ ...shown(one), expires_at: text(one.diesAt) })),
      [ada, dan, bob].map(({ displayName, platform, status, diesAt }) => ({
        display_name: displayName,
        platform,
        status,
        expires_at: text(diesAt),
      })),
    ],
    mongosh: [[ada, dan, bob].map((one) => pick(one, 'displayName', 'platform', 'status', 'diesAt'))],
  },
  'Whose access to data ends within 7 days': {
    sql: [[{ ...shown(cleo), data_access_expires_at: text(cleo.dataAccessExpiresAt) }]],
    mongosh: [[pick(cleo, 'displayName', 'platform', 'status', 'dataAccessExpiresAt')]],
  },
  'Accounts that need a person': {
    sql: [
      [cleo, bob, eve].map(({ id, platform, displayName, ownerId, status, statusReason }) => ({
        id,
        platform,
        display_name: displayName,
        owner_id: ownerId,
        status,
        status_reason: statusReason,
      })),
    ],
    mongosh: [[cleo, bob, eve].map((one) => pick(one, 'platform', 'displayName', 'ownerId', 'status', 'statusReason'))],
  },
  'How many accounts there are': {
    sql: [counts().map(([platform, status, accounts]) => ({ platform, status, accounts }))],
    mongosh: [counts().map(([platform, status, accounts]) => ({ _id: { platform, status }, accounts }))],
  },
  'Failures of the last day': {
    sql: [
      (
        [
          [LOG.closed, ada],
          [LOG.checkpoint, bob],
          [LOG.timeOut, dan],
        ] as const
      ).map(([entry, account]) => ({
        refreshed_at: text(entry.refreshedAt),
        platform: account.platform,
        account: account.displayName,
        refresh_type: entry.refreshType,
        outcome: entry.outcome,
        error_code: entry.errorCode,
        error_message: entry.errorMessage,
      })),
    ],
    mongosh: [
      [LOG.closed, LOG.checkpoint, LOG.timeOut].map((entry) =>
        pick(entry, 'refreshedAt', 'accountId', 'refreshType', 'outcome', 'errorCode', 'errorMessage'),
      ),
    ],
  },
  'The most frequent errors of the last week': {
    sql: [errors().map(([error, failures, last]) => ({ error, failures, last: text(last) }))],
    mongosh: [errors().map(([_id, failures, last]) => ({ _id, failures, last }))],
  },
  'Success rate by refresh type': {
    sql: [rates().map(([refresh_type, total, successful, percent]) => ({ refresh_type, total, successful, percent }))],
    mongosh: [rates().map(([_id, total, successful]) => ({ _id, total, successful }))],
  },
  'Pages without a token, and Pages that were lost': {
    sql: [
      [closed, denied].map(({ name, externalId, status, statusReason }) => ({
        page_name: name,
        page_id: externalId,
        status,
        status_reason: statusReason,
        account: 'ada',
      })),
    ],
    mongosh: [[closed, denied].map((page) => pick(page, 'name', 'externalId', 'status', 'statusReason', 'accountId'))],
  },
  'Pages whose tokens expire within 7 days': {
    sql: [[{ page_name: 'Ending', page_id: ending.externalId, token_expires_at: text(ending.tokenExpiresAt) }]],
    mongosh: [[pick(ending, 'name', 'externalId', 'tokenExpiresAt')]],
  },
  'Accounts that were not refreshed for 60 days': {
    sql: [[bob, fay].map((one) => ({ ...shown(one), last_refreshed_at: text(one.lastRefreshedAt) }))],
    mongosh: [[fay, bob].map((one) => pick(one, 'displayName', 'platform', 'status', 'lastRefreshedAt'))],
  },
  'How Page tokens came, one by one': {
    sql: [
      (
        [
          [LOG.bakery, bakery],
          [LOG.closed, closed],
        ] as const
      ).map(([entry, page]) => ({
        refreshed_at: text(entry.refreshedAt),
        page_name: page.name,
        success: Number(entry.success),
        error_message: entry.errorMessage,
      })),
    ],
    mongosh: [[LOG.bakery, LOG.closed].map((entry) => pick(entry, 'refreshedAt', 'pageId', 'success', 'errorMessage'))],
  },
}

function counts() {
  return [
    ['bluesky', 'active', 1],
    ['bluesky', 'needs_reconnect', 1],
    ['instagram', 'active', 1],
    ['meta', 'active', 1],
    ['meta', 'needs_action', 1],
    ['threads', 'active', 1],
  ] as const
}

function errors() {
  return [
    ['PROVIDER_TIMEOUT', 2, LOG.timeOut.refreshedAt],
    ['META_CHECKPOINT', 1, LOG.checkpoint.refreshedAt],
    ['META_PAGE_LOST', 1, LOG.closed.refreshedAt],
    ['interrupted', 1, LOG.interrupted.refreshedAt],
  ] as const
}

function rates() {
  return [
    ['manual', 1, 1, 100],
    ['on_demand', 2, 0, 0],
    ['scheduled', 3, 1, 33.3],
  ] as const
}

function shown({ displayName, platform, status }: typeof ada) {
  return { name: displayName, platform, status }
}

/** As a projection shows it. */
function pick<T extends { readonly id: string }>(entity: T, ...fields: (keyof T)[]): object {
  return { _id: entity.id, ...Object.fromEntries(fields.map((field) => [field, entity[field]])) }
}

test('each query of the page is expected to find something', () => {
  const sections = querySections()
  expect(sections.map(({ heading }) => heading)).toEqual(Object.keys(EXPECTED))
  for (const { heading, sql, mongosh } of sections) {
    const expected = EXPECTED[heading]!
    expect([heading, sql.length, mongosh.length]).toEqual([heading, expected.sql.length, expected.mongosh.length])
    for (const rows of [...expected.sql, ...expected.mongosh]) expect(rows).not.toHaveLength(0)
  }
})

describe('SQL of the page, on the file of a store that is open', () => {
  let fixture: SqliteFixture
  let file: DatabaseSync
  beforeAll(async () => {
    fixture = await openSqliteFixture()
    await fillForQueries(fixture.store)
    file = new DatabaseSync(fixture.path, { readOnly: true })
  })
  afterAll(async () => {
    file.close()
    await fixture[Symbol.asyncDispose]()
  })

  test.each(querySections().filter(({ sql }) => sql.length > 0))('$heading', ({ heading, sql }) => {
    for (const [i, query] of sql.entries()) {
      expect(
        file
          .prepare(query)
          .all()
          .map((row) => ({ ...row })),
      ).toEqual(EXPECTED[heading]!.sql[i])
    }
  })

  test.each(['meta_accounts', 'pages', 'token_refresh_log'])(
    'the view %s has the columns of the page, nothing sealed',
    async (view) => {
      const columns = file
        .prepare(`SELECT name FROM pragma_table_info('${view}')`)
        .all()
        .map(({ name }) => name)
      const [, described] = new RegExp(`^\\| \`${view}\` \\|[^|]*\\|(.*)\\|$`, 'm').exec(QUERY_PAGE)!
      expect(columns).toEqual([...described!.matchAll(/`(\w+)`/g)].map(([, name]) => name))
      const contents = file.prepare(`SELECT * FROM ${view}`).all()
      expect(contents).not.toHaveLength(0)
      expect(JSON.stringify(contents)).not.toMatch(/v1\.key|key-1|connect-/)
    },
  )

  test('views show times as datetime() does, and nothing where there is none', async () => {
    const row = (sql: string, id: string) => ({ ...file.prepare(sql).get(id) })
    expect(row('SELECT * FROM meta_accounts WHERE id = ?', cleo.id)).toEqual({
      id: cleo.id,
      user_id: 'owner-1',
      platform: 'instagram',
      meta_user_id: cleo.externalId,
      name: 'cleo',
      status: 'active',
      status_reason: 'TOKEN_NOT_EXTENDED',
      is_active: 1,
      expires_at: text(cleo.diesAt),
      data_access_expires_at: text(cleo.dataAccessExpiresAt),
      last_refreshed_at: text(cleo.lastRefreshedAt),
      next_refresh_at: text(cleo.nextRefreshAt),
      created_at: text(cleo.connectedAt),
    })
    expect(row('SELECT * FROM pages WHERE id = ?', bakery.id)).toEqual({
      id: bakery.id,
      meta_account_id: ada.id,
      page_id: 'fb-Bakery',
      page_name: 'Bakery',
      status: 'active',
      status_reason: null,
      has_token: 1,
      token_expires_at: null,
      instagram_business_account_id: null,
      last_refreshed_at: text(bakery.refreshedAt),
    })
    expect(row('SELECT * FROM token_refresh_log WHERE id = ?', LOG.refreshed.id)).toEqual({
      id: LOG.refreshed.id,
      meta_account_id: ada.id,
      page_id: null,
      platform: 'meta',
      refresh_type: 'scheduled',
      success: 1,
      outcome: 'refreshed',
      error_code: null,
      error_message: null,
      old_expires_at: text(NOW + 3 * 86_400_000),
      new_expires_at: text(NOW + 60 * 86_400_000),
      refreshed_at: text(LOG.refreshed.refreshedAt),
    })
    expect(
      row(`SELECT refreshed_at < datetime('now') AS past FROM token_refresh_log WHERE id = ?`, LOG.refreshed.id),
    ).toEqual({ past: 1 })
  })

  test('an account that is being removed is in no view', async () => {
    await using other = await openSqliteFixture()
    await other.store.accounts.insert(buildAccount({ platform: 'meta', status: 'removing' }))
    using raw = new DatabaseSync(other.path, { readOnly: true })
    expect(raw.prepare('SELECT count(*) AS count FROM meta_accounts').get()).toEqual({ count: 0 })
  })
})

describe.skipIf(server === null)('mongosh of the page, on the database of a store', () => {
  let database: MongoDatabase
  beforeAll(async () => {
    database = await openDatabase(server!)
    await using fixture = await openMongoFixture(database)
    await fillForQueries(fixture.store)
  })
  afterAll(async () => {
    await database[Symbol.asyncDispose]()
    await server![Symbol.asyncDispose]()
  })

  test.each(querySections().filter(({ mongosh }) => mongosh.length > 0))('$heading', async ({ heading, mongosh }) => {
    for (const [i, query] of mongosh.entries()) {
      const found = plain(await inMongosh(database.db, query))
      expect(found).toEqual(EXPECTED[heading]!.mongosh[i])
      expect(JSON.stringify(found)).not.toMatch(/v1\.key|key-1|connect-/)
    }
  })
})
