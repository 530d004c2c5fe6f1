import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { buildPage } from '../src/conformance/build-account.ts'
import {
  dueClause,
  expiringClause,
  listClause,
  pagesDueClause,
  STALE_SQL,
  WITH_OUTBOX_SQL,
} from '../src/sqlite/accounts.ts'
import { replaceAsRead } from '../src/sqlite/as-read.ts'
import type { Clause } from '../src/sqlite/clause.ts'
import { COUNTS_SQL, FAILURES_SQL } from '../src/sqlite/log.ts'
import { expiringPagesClause, ofAccountClause } from '../src/sqlite/pages.ts'
import { pruneSql } from '../src/sqlite/prune.ts'
import { auditTable, eventTable, logTable, pageTable, runTable } from '../src/sqlite/rows.ts'
import { LATEST_SQL } from '../src/sqlite/runs.ts'
import { scanClause } from '../src/sqlite/scan.ts'
import { openSqliteFixture } from './support/sqlite-fixture.ts'

const due = { platform: 'bluesky', before: 1, limit: 100 } as const
const after = { nextRefreshAt: 0, id: '' }

const CASES: [name: string, clause: Clause, index: RegExp][] = [
  [
    'due, of one status',
    dueClause({ ...due, statusIn: ['active'], after: null }),
    /USING INDEX accounts_due \(platform=\? AND status=\? AND next_refresh_at<\?\)/,
  ],
  [
    'due, of several statuses, after a cursor',
    dueClause({ ...due, statusIn: ['active', 'needs_action', 'quarantined'], after }),
    /USING INDEX accounts_due \(platform=\? AND status=\? AND \(next_refresh_at,id\)>\(\?,\?\) AND next_refresh_at<\?\)/,
  ],
  [
    'Pages due',
    pagesDueClause({ platforms: ['meta'], at: 1, after: null, limit: 100 }),
    /USING INDEX accounts_pages_due \(platform=\? AND pages_due_at<\?\)/,
  ],
  [
    'Pages due, of several platforms, after a cursor',
    pagesDueClause({ platforms: ['meta', 'threads'], at: 1, after: { pagesDueAt: 0, id: '' }, limit: 100 }),
    /USING INDEX accounts_pages_due \(platform=\? AND \(pages_due_at,id\)>\(\?,\?\) AND pages_due_at<\?\)/,
  ],
  [
    'expiring',
    expiringClause({ platforms: ['meta'], from: 1, before: 2, after: null, limit: 100 }),
    /USING INDEX accounts_expiring \(platform=\? AND ends_at>\? AND ends_at<\?\)/,
  ],
  [
    'expiring, of several platforms, after a cursor',
    expiringClause({
      platforms: ['meta', 'bluesky'],
      from: 1,
      before: 2,
      after: { endsAt: 1, id: '' },
      limit: 100,
    }),
    /USING INDEX accounts_expiring \(platform=\? AND \(ends_at,id\)>\(\?,\?\) AND ends_at<\?\)/,
  ],
  ['stale', { sql: STALE_SQL, params: [1, 100] }, /USING INDEX accounts_stale \(takeover_at<\?\)/],
  ['with outbox', { sql: WITH_OUTBOX_SQL, params: ['', 100] }, /USING (COVERING )?INDEX accounts_outbox \(id>\?\)/],
  [
    'list, of a platform and a status',
    listClause({ platform: 'bluesky', statusIn: ['active'], afterId: 'a', limit: 100 }),
    /USING INDEX sqlite_autoindex_accounts_1 \(id>\?\)/,
  ],
  [
    'list, of an owner',
    listClause({ ownerId: 'o', platform: 'bluesky', afterId: null, limit: 100 }),
    /USING INDEX sqlite_autoindex_accounts_2 \(owner_id=\? AND platform=\?\)/,
  ],
]

test.each(CASES)('%s is served by an index', async (name, clause, index) => {
  await using fixture = await openSqliteFixture()
  using raw = new DatabaseSync(fixture.path)
  const plan = raw.prepare(`EXPLAIN QUERY PLAN ${clause.sql}`).all(...clause.params)
  const steps = plan.map(({ detail }) => String(detail))
  const reads = steps.filter((step) => / accounts\b/.test(step))
  expect(reads.length).toBeGreaterThan(0)
  for (const step of reads) expect(step).toMatch(index)
  // Only an owner's few accounts may be sorted.
  if (name !== 'list, of an owner') expect(steps.join('\n')).not.toMatch(/TEMP B-TREE/)
})

test('the Pages of an account are served by an index', async () => {
  await using fixture = await openSqliteFixture()
  using raw = new DatabaseSync(fixture.path)
  const { sql, params } = ofAccountClause('a', null, 9)
  const plan = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...params)
  expect(plan.map(({ detail }) => detail)).toEqual([
    'SEARCH account_pages USING INDEX sqlite_autoindex_account_pages_2 (account_id=?)',
    'USE TEMP B-TREE FOR ORDER BY',
  ])
})

test.each([
  ['', null, 'token_expires_at>?'],
  [', after a cursor', { tokenExpiresAt: 1, id: 'a' }, '(token_expires_at,id)>(?,?)'],
])('expiring Pages are found in order by an index%s', async (_, after, start) => {
  await using fixture = await openSqliteFixture()
  using raw = new DatabaseSync(fixture.path)
  const { sql, params } = expiringPagesClause({ from: 1, before: 2, after, limit: 100 })
  const plan = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...params)
  expect(plan.map(({ detail }) => detail)).toEqual([
    `SEARCH account_pages USING INDEX account_pages_expiring (${start} AND token_expires_at<?)`,
  ])
})

test('statistics read by an index what lies in their time', async () => {
  await using fixture = await openSqliteFixture()
  using raw = new DatabaseSync(fixture.path)
  const readsOf = (sql: string, ...params: number[]) => {
    const plan = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...params)
    return plan.map(({ detail }) => String(detail)).filter((step) => step.includes('refresh_log'))
  }
  expect(readsOf(COUNTS_SQL, 1)).toEqual(['SEARCH refresh_log USING INDEX refresh_log_time (refreshed_at>?)'])
  expect(readsOf(FAILURES_SQL, 1, 10)).toEqual([
    'SEARCH refresh_log USING INDEX refresh_log_success (success=? AND refreshed_at>?)',
  ])
})

test('a Page that is compared as a whole is found by an index', async () => {
  await using fixture = await openSqliteFixture()
  using raw = new DatabaseSync(fixture.path)
  const page = buildPage()
  const { sql, params } = replaceAsRead(pageTable, page, page)
  const plan = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...params[0]!)
  expect(plan.map(({ detail }) => detail)).toEqual([
    // That of its id or that of its account and external id: both are unique.
    expect.stringMatching(/^SEARCH account_pages USING INDEX sqlite_autoindex_account_pages_[12] /),
  ])
})

test('the latest run of a schedule is served by an index', async () => {
  await using fixture = await openSqliteFixture()
  using raw = new DatabaseSync(fixture.path)
  const plan = raw.prepare(`EXPLAIN QUERY PLAN ${LATEST_SQL}`).all('manual:all')
  expect(plan.map(({ detail }) => detail)).toEqual(['SEARCH runs USING INDEX runs_schedule (schedule_id=?)'])
})

test.each([
  ['refresh_log', 'refreshed_at', 'refresh_log_time'],
  ['events', 'at', 'events_time'],
  ['audit', 'at', 'audit_time'],
  ['runs', 'finished_at', 'runs_finished'],
])('what is pruned of %s is found by an index', async (table, time, index) => {
  await using fixture = await openSqliteFixture()
  using raw = new DatabaseSync(fixture.path)
  const plan = raw.prepare(`EXPLAIN QUERY PLAN ${pruneSql(table, time)}`).all(1, 100)
  const steps = plan.map(({ detail }) => String(detail))
  expect(steps).toEqual([
    expect.stringMatching(/^SEARCH \w+ USING (COVERING )?INDEX sqlite_autoindex_\w+_1 \(id=\?\)$/),
    expect.stringMatching(/^LIST SUBQUERY /),
    `SEARCH ${table} USING COVERING INDEX ${index} (${time}<?)`,
  ])
})

test('scans are served by the index on ids', async () => {
  await using fixture = await openSqliteFixture()
  using raw = new DatabaseSync(fixture.path)
  const clauses = [
    scanClause(logTable, 'a', 9),
    scanClause(pageTable, 'a', 9),
    scanClause(eventTable, 'a', 9),
    scanClause(auditTable, 'a', 9),
    scanClause(runTable, 'a', 9),
  ]
  for (const { sql, params } of clauses) {
    const plan = raw.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...params)
    expect(plan.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/^SEARCH \w+ USING INDEX sqlite_autoindex_\w+_1 \(id>\?\)$/),
    ])
  }
})
