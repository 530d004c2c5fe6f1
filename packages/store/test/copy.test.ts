import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { AT, buildAccount, buildHalt, buildPage } from '../src/conformance/build-account.ts'
import { buildSchedule } from '../src/conformance/schedules.ts'
import { copyStore, type Store } from '../src/index.ts'
import { contentsOf, fillStore } from './support/fill-store.ts'
import { openDatabase, openMongoFixture } from './support/mongo-fixture.ts'
import { startChild } from './support/processes.ts'
import { openSqliteFixture } from './support/sqlite-fixture.ts'

const COUNT = 70

async function expectSame(from: Store, to: Store): Promise<void> {
  expect(await contentsOf(to)).toStrictEqual(await contentsOf(from))
}

const commit = { name: 'x', when: {}, change: { set: { generation: 9, sealedCredential: 'newer' } } }

test('everything is copied; done again, everything is the same', async () => {
  await using source = await openSqliteFixture()
  await using target = await openSqliteFixture()
  await fillStore(source.store, COUNT)
  const progress: number[] = []
  const first = await copyStore(source.store, target.store, {
    batchSize: 30,
    onBatch: (_, { read }) => progress.push(read),
  })
  expect(first.differences).toEqual([])
  expect(first.kinds).toEqual({
    accounts: { read: COUNT, same: 0, copied: COUNT, different: 0 },
    pages: { read: 2 * COUNT, same: 0, copied: 2 * COUNT, different: 0 },
    halts: { read: 2, same: 0, copied: 2, different: 0 },
    log: { read: 2 * COUNT, same: 0, copied: 2 * COUNT, different: 0 },
    events: { read: COUNT, same: 0, copied: COUNT, different: 0 },
    audit: { read: 2, same: 0, copied: 2, different: 0 },
    runs: { read: 2, same: 0, copied: 2, different: 0 },
    schedules: { read: 2, same: 0, copied: 2, different: 0 },
    apiKeys: { read: 2, same: 0, copied: 2, different: 0 },
  })
  expect(progress.slice(0, 3)).toEqual([30, 60, 70])
  await expectSame(source.store, target.store)
  const second = await copyStore(source.store, target.store)
  for (const { read, same, copied } of Object.values(second.kinds)) expect([same, copied]).toEqual([read, 0])
})

test('what changed in the source since is brought up to date', async () => {
  await using source = await openSqliteFixture()
  await using target = await openSqliteFixture()
  const [one, two, three] = await fillStore(source.store, COUNT)
  await copyStore(source.store, target.store)
  const { accounts, pages, halts, runs, apiKeys } = source.store
  await accounts.write({ ...commit, accountId: one!.id })
  await accounts.pull(
    one!.id,
    one!.outbox.map(({ id }) => id),
  )
  const paused = { set: { attempt: null }, status: { active: 'paused' as const }, tell: one!.outbox }
  await accounts.write({ name: 'x', accountId: two!.id, when: {}, change: paused })
  await accounts.write({ name: 'x', accountId: three!.id, when: {}, change: { set: { displayName: 'renamed' } } })
  const [run] = await runs.unfinished(1)
  await runs.advance(run!.id, null, { cursor: one!.id, totals: run!.totals, finishedAt: AT })
  for (const { id } of await apiKeys.list()) await apiKeys.revoke(id, AT + 1)
  const [listed, missed] = await pages.scan({ afterId: null, limit: 2 })
  await pages.put([{ ...listed!, parentGeneration: 9, sealedToken: 'newer' }, buildPage({ accountId: one!.id })])
  await pages.update([{ from: missed!, to: { ...missed!, status: 'missing', missingCount: 2, lastMissedAt: AT } }])
  const [halt] = await halts.list()
  await halts.update(halt!, { ...halt!, probeAt: AT + 9 })
  const { kinds } = await copyStore(source.store, target.store)
  const counted = [kinds.accounts, kinds.pages, kinds.halts, kinds.runs, kinds.apiKeys]
  expect(counted.map(({ copied }) => copied)).toEqual([3, 3, 1, 1, 1])
  await expectSame(source.store, target.store)
})

test('what a schedule has started in the target is not forgotten', async () => {
  await using source = await openSqliteFixture()
  await using target = await openSqliteFixture()
  const [one, two] = [buildSchedule({ lastOccurrence: AT }), buildSchedule({ lastOccurrence: AT })]
  for (const { store } of [source, target]) for (const schedule of [one, two]) await store.schedules.insert(schedule)
  const ahead = { ...one, lastOccurrence: AT + 1, startedRuns: 9 }
  await target.store.schedules.update(one, ahead)
  await source.store.schedules.update(two, { ...two, lastOccurrence: AT + 1 })
  const { kinds, differences } = await copyStore(source.store, target.store)
  expect(kinds.schedules).toEqual({ read: 2, same: 0, copied: 1, different: 1 })
  expect(differences).toEqual([{ kind: 'schedules', id: one.id, reason: 'different' }])
  expect(await target.store.schedules.get(one.id)).toStrictEqual(ahead)
})

test('a newer generation in the target is left as it is and told', async () => {
  await using source = await openSqliteFixture()
  await using target = await openSqliteFixture()
  const [one, two] = await fillStore(source.store, COUNT)
  await copyStore(source.store, target.store)
  await target.store.accounts.write({ ...commit, accountId: one!.id })
  // The same generation with another credential: nobody can tell which one lives.
  const diverged = { ...commit, change: { set: { sealedCredential: 'other' } } }
  await target.store.accounts.write({ ...diverged, accountId: two!.id })
  const { kinds, differences } = await copyStore(source.store, target.store)
  expect(kinds.accounts).toEqual({ read: COUNT, same: COUNT - 2, copied: 0, different: 2 })
  expect(differences).toContainEqual({ kind: 'accounts', id: one!.id, reason: 'newer' })
  expect(differences).toContainEqual({ kind: 'accounts', id: two!.id, reason: 'different' })
  expect(await target.store.accounts.get(one!.id)).toMatchObject({ generation: 9, sealedCredential: 'newer' })
  expect(await target.store.accounts.get(two!.id)).toMatchObject({ sealedCredential: 'other' })
})

test('an account that is only in the target, or whose login another one has there, is told', async () => {
  await using source = await openSqliteFixture()
  await using target = await openSqliteFixture()
  const account = buildAccount()
  const rival = buildAccount({ externalId: account.externalId })
  await source.store.accounts.insert(account)
  await target.store.accounts.insert(rival)
  const { kinds, differences } = await copyStore(source.store, target.store)
  expect(kinds.accounts).toEqual({ read: 1, same: 0, copied: 0, different: 2 })
  expect(differences).toEqual([
    { kind: 'accounts', id: account.id, reason: 'different' },
    { kind: 'accounts', id: rival.id, reason: 'only_in_target' },
  ])
})

test('an account that was refreshed in the source after it was copied is told', async () => {
  await using source = await openSqliteFixture()
  await using target = await openSqliteFixture()
  const [account, other] = [buildAccount(), buildAccount()]
  for (const it of [account, other]) await source.store.accounts.insert(it)
  using elsewhere = new DatabaseSync(source.path)
  const { kinds, differences } = await copyStore(source.store, target.store, {
    onBatch: (kind) => {
      if (kind !== 'accounts') return
      elsewhere
        .prepare(`UPDATE accounts SET generation = 2, sealed_credential = 'successor' WHERE id = ?`)
        .run(account.id)
    },
  })
  expect(kinds.accounts).toEqual({ read: 2, same: 0, copied: 2, different: 1 })
  expect(differences).toEqual([{ kind: 'accounts', id: account.id, reason: 'changed' }])
})

test('a Page that was listed later in the target is left as it is and told', async () => {
  await using source = await openSqliteFixture()
  await using target = await openSqliteFixture()
  const [one, two, three] = [buildPage(), buildPage(), buildPage()]
  for (const { store } of [source, target]) await store.pages.put([one, two, three])
  const later = [
    { ...one, refreshedAt: AT + 1, sealedToken: 'later' },
    { ...two, parentGeneration: 2, refreshedAt: AT - 1 },
  ]
  await target.store.pages.put([...later, { ...three, name: 'renamed' }])
  const { kinds, differences } = await copyStore(source.store, target.store)
  expect(kinds.pages).toEqual({ read: 3, same: 0, copied: 1, different: 2 })
  for (const page of later) {
    expect(differences).toContainEqual({ kind: 'pages', id: page.id, reason: 'newer' })
    expect(await target.store.pages.get(page.id)).toStrictEqual(page)
  }
})

test('a Page and a halt that are only in the target are told', async () => {
  await using source = await openSqliteFixture()
  await using target = await openSqliteFixture()
  const [page, halt] = [buildPage(), buildHalt()]
  await target.store.pages.put([page])
  await target.store.halts.insert(halt)
  const { kinds, differences } = await copyStore(source.store, target.store)
  expect([kinds.pages.different, kinds.halts.different]).toEqual([1, 1])
  expect(differences).toEqual([
    { kind: 'pages', id: page.id, reason: 'only_in_target' },
    { kind: 'halts', id: halt.id, reason: 'only_in_target' },
  ])
})

/** How many batches are copied before the kill: among the accounts, the Pages, the log, the events. */
const KILLED_AFTER = [2, 7, 15, 22]

async function copyKilled(from: string, to: string, batches: number): Promise<void> {
  const child = startChild('copy-and-die.ts', from, to, String(batches))
  const [, signal] = await once(child, 'exit')
  expect(signal).toBe('SIGKILL')
}

test.each(KILLED_AFTER)('killed after %i batches, it is continued', async (batches) => {
  await using source = await openSqliteFixture()
  await using target = await openSqliteFixture()
  await fillStore(source.store, COUNT)
  await copyKilled(`sqlite:${source.path}`, `sqlite:${target.path}`, batches)
  const { kinds } = await copyStore(source.store, target.store)
  expect(kinds.accounts.same).toBeGreaterThan(0)
  expect(kinds.audit.copied).toBe(2)
  await expectSame(source.store, target.store)
})

const server = await mongoForTests('copies to and from MongoDB')
if (server) afterAll(() => server[Symbol.asyncDispose]())

describe.skipIf(server === null)('with MongoDB', () => {
  test('there and back again it is the same, also when killed in the middle', async () => {
    await using database = await openDatabase(server!)
    await using source = await openSqliteFixture()
    await using middle = await openMongoFixture(database)
    await using target = await openSqliteFixture()
    await fillStore(source.store, COUNT)
    await copyKilled(`sqlite:${source.path}`, database.url, 15)
    const there = await copyStore(source.store, middle.store, { batchSize: 30 })
    expect(there.differences).toEqual([])
    expect(there.kinds.accounts).toEqual({ read: COUNT, same: COUNT, copied: 0, different: 0 })
    expect(there.kinds.log.same).toBeGreaterThan(0)
    expect(there.kinds.log.copied).toBeGreaterThan(0)
    await expectSame(source.store, middle.store)
    await copyKilled(database.url, `sqlite:${target.path}`, 15)
    const back = await copyStore(middle.store, target.store, { batchSize: 30 })
    expect(back.differences).toEqual([])
    expect(back.kinds.log.copied).toBeGreaterThan(0)
    await expectSame(source.store, target.store)
  })

  test('what changed since is brought up to date there too', async () => {
    await using database = await openDatabase(server!)
    await using source = await openSqliteFixture()
    await using target = await openMongoFixture(database)
    const [one] = await fillStore(source.store, COUNT)
    await copyStore(source.store, target.store)
    const { accounts } = source.store
    await accounts.write({ ...commit, accountId: one!.id, change: { ...commit.change, status: { paused: 'active' } } })
    await accounts.pull(one!.id, [one!.outbox[0]!.id])
    const { kinds } = await copyStore(source.store, target.store)
    expect(kinds.accounts).toEqual({ read: COUNT, same: COUNT - 1, copied: 1, different: 0 })
    await expectSame(source.store, target.store)
  })
})
