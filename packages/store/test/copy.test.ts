import { once } from 'node:events'
import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { AT, buildAccount } from '../src/conformance/build-account.ts'
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
  const pages: number[] = []
  const first = await copyStore(source.store, target.store, { pageSize: 30, onPage: (_, { read }) => pages.push(read) })
  expect(first.differences).toEqual([])
  expect(first.kinds).toEqual({
    accounts: { read: COUNT, same: 0, copied: COUNT, different: 0 },
    log: { read: 2 * COUNT, same: 0, copied: 2 * COUNT, different: 0 },
    events: { read: COUNT, same: 0, copied: COUNT, different: 0 },
    audit: { read: 2, same: 0, copied: 2, different: 0 },
    runs: { read: 2, same: 0, copied: 2, different: 0 },
    apiKeys: { read: 2, same: 0, copied: 2, different: 0 },
  })
  expect(pages.slice(0, 3)).toEqual([30, 60, 70])
  await expectSame(source.store, target.store)
  const second = await copyStore(source.store, target.store)
  for (const { read, same, copied } of Object.values(second.kinds)) expect([same, copied]).toEqual([read, 0])
})

test('what changed in the source since is brought up to date', async () => {
  await using source = await openSqliteFixture()
  await using target = await openSqliteFixture()
  const [one, two, three] = await fillStore(source.store, COUNT)
  await copyStore(source.store, target.store)
  const { accounts, runs, apiKeys } = source.store
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
  const { kinds } = await copyStore(source.store, target.store)
  expect([kinds.accounts.copied, kinds.runs.copied, kinds.apiKeys.copied]).toEqual([3, 1, 1])
  await expectSame(source.store, target.store)
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

/** How many pages are copied before the kill: among the accounts, the log, the events. */
const KILLED_AFTER = [2, 7, 12]

async function copyKilled(from: string, to: string, pages: number): Promise<void> {
  const child = startChild('copy-and-die.ts', from, to, String(pages))
  const [, signal] = await once(child, 'exit')
  expect(signal).toBe('SIGKILL')
}

test.each(KILLED_AFTER)('killed after %i pages, it is continued', async (pages) => {
  await using source = await openSqliteFixture()
  await using target = await openSqliteFixture()
  await fillStore(source.store, COUNT)
  await copyKilled(`sqlite:${source.path}`, `sqlite:${target.path}`, pages)
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
    await copyKilled(`sqlite:${source.path}`, database.url, 7)
    const there = await copyStore(source.store, middle.store, { pageSize: 30 })
    expect(there.differences).toEqual([])
    expect(there.kinds.accounts).toEqual({ read: COUNT, same: COUNT, copied: 0, different: 0 })
    expect(there.kinds.log.same).toBeGreaterThan(0)
    expect(there.kinds.log.copied).toBeGreaterThan(0)
    await expectSame(source.store, middle.store)
    await copyKilled(database.url, `sqlite:${target.path}`, 7)
    const back = await copyStore(middle.store, target.store, { pageSize: 30 })
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
