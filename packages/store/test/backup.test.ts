import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { mongoForTests, tempDir } from '@tokenkeeper/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { AT, buildAccount, buildLogEntry, buildPage } from '../src/conformance/build-account.ts'
import { copyInUse } from '../src/copy-in-use.ts'
import { backupStore, createSqliteStore, isInUse, moveFile } from '../src/index.ts'
import { contentsOf } from './support/fill-store.ts'
import { openDatabase, openMongoFixture } from './support/mongo-fixture.ts'
import { openSqliteFixture } from './support/sqlite-fixture.ts'

const [FIRST, SECOND, LAST] = ['0', '1', 'f'].map((digit) => digit.repeat(24)) as [string, string, string]

describe('while an account is removed', () => {
  test('and connected anew, the copy takes the new one', async () => {
    await using source = await openSqliteFixture()
    await using target = await openSqliteFixture()
    for (const id of [FIRST, SECOND]) await source.store.accounts.insert(buildAccount({ id }))
    using elsewhere = new DatabaseSync(source.path)
    const rename = elsewhere.prepare('UPDATE accounts SET id = ? WHERE id = ?')
    await copyInUse(source.store, target.store, {
      batchSize: 1,
      onBatch: (kind) => kind === 'accounts' && rename.run(LAST, FIRST),
    })
    const copied = await contentsOf(target.store)
    expect(copied).toStrictEqual(await contentsOf(source.store))
    expect(copied.accounts.map(({ id }) => id)).toEqual([SECOND, LAST])
  })

  test('the copy holds the note of its removal, and neither it nor its Pages and log', async () => {
    await using source = await openSqliteFixture()
    await using target = await openSqliteFixture()
    for (const id of [FIRST, SECOND]) await source.store.accounts.insert(buildAccount({ id }))
    await source.store.pages.put([buildPage({ accountId: FIRST })])
    await source.store.log.put([buildLogEntry({ accountId: FIRST })])
    const audit = { id: LAST, accountId: FIRST, action: 'account.removed', actor: 'cli', detail: null, at: AT } as const
    await source.store.audit.insert([audit])
    using elsewhere = new DatabaseSync(source.path)
    await copyInUse(source.store, target.store, {
      onBatch(kind) {
        if (kind !== 'audit') return
        for (const [table, column] of [
          ['accounts', 'id'],
          ['account_pages', 'account_id'],
          ['refresh_log', 'account_id'],
        ]) {
          elsewhere.prepare(`DELETE FROM ${table} WHERE ${column} = ?`).run(FIRST)
        }
      },
    })
    const copied = await contentsOf(target.store)
    expect(copied).toStrictEqual(await contentsOf(source.store))
    expect([copied.accounts.length, copied.pages.length, copied.log.length, copied.audit]).toEqual([1, 0, 0, [audit]])
  })
})

test('a move that is cut off leaves no file without what SQLite keeps beside it', async () => {
  await using dir = await tempDir()
  const [from, to] = [join(dir.path, 'a.db'), join(dir.path, 'b.db')]
  for (const part of ['', '-wal']) writeFileSync(from + part, part)
  mkdirSync(join(`${to}-wal`, 'in-the-way'), { recursive: true })
  expect(() => moveFile(from, to)).toThrow()
  expect([existsSync(from), existsSync(`${from}-wal`), existsSync(to)]).toEqual([true, true, false])
})

const server = await mongoForTests('backups of MongoDB')
if (server) afterAll(() => server[Symbol.asyncDispose]())

test.runIf(server)('a file of its name that appears meanwhile is not overwritten', async () => {
  await using dir = await tempDir()
  await using database = await openDatabase(server!)
  await using source = await openMongoFixture(database)
  await source.store.accounts.insert(buildAccount())
  const file = join(dir.path, 'nightly.db')
  const backup = backupStore(database.url, file, { onBatch: () => writeFileSync(file, 'precious') })
  await expect(backup).rejects.toMatchObject({ code: 'BACKUP_EXISTS' })
  expect(readFileSync(file, 'utf8')).toBe('precious')
  expect(readdirSync(dir.path)).toEqual(['nightly.db'])
})

test('looking whether a database is in use leaves it as it is', async () => {
  await using dir = await tempDir()
  const path = join(dir.path, 'store.db')
  await createSqliteStore({ path })[Symbol.asyncDispose]()
  expect(isInUse(path)).toBe(false)
  using db = new DatabaseSync(path)
  expect(db.prepare('PRAGMA journal_mode').get()?.journal_mode).toBe('wal')
  expect(isInUse(path)).toBe(true)
})
