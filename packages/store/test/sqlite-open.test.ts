import { chmod, mkdir, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { AT, buildAccount } from '../src/conformance/build-account.ts'
import { buildRun } from '../src/conformance/runs.ts'
import { createSqliteStore, type Run } from '../src/index.ts'
import { init } from '../src/sqlite/migrations/001-init.ts'
import { accountTable, runTable, type Table } from '../src/sqlite/rows.ts'
import { codeOf } from './support/codes.ts'
import { runChild } from './support/processes.ts'
import { openSqliteFixture, type SqliteFixture } from './support/sqlite-fixture.ts'

/** A file with some accounts in it, closed. */
async function closedFile(count = 3): Promise<SqliteFixture> {
  const fixture = await openSqliteFixture()
  for (let i = 0; i < count; i++) await fixture.store.accounts.insert(buildAccount())
  await fixture.store[Symbol.asyncDispose]()
  return fixture
}

/** Inserts what the file's own version of the table has a column for. */
function insertKnown<T>(raw: DatabaseSync, table: Table<T>, entity: T): void {
  const known = new Set(
    raw
      .prepare(`PRAGMA table_info(${table.name})`)
      .all()
      .map(({ name }) => name),
  )
  const values = table.toParams(entity)
  const columns = table.columns.flatMap((name, i) => (known.has(name) ? [{ name, value: values[i]! }] : []))
  const names = columns.map(({ name }) => name).join(', ')
  const places = columns.map(() => '?').join(', ')
  const insert = raw.prepare(`INSERT INTO ${table.name} (${names}) VALUES (${places})`)
  insert.run(...columns.map(({ value }) => value))
}

describe('opening', () => {
  test('makes file and directory for this user alone, also the files beside it', async () => {
    await using fixture = await openSqliteFixture()
    await fixture.store.ping()
    const mode = async (path: string) => (await stat(path)).mode & 0o777
    expect(await mode(join(fixture.directory, 'data'))).toBe(0o700)
    for (const suffix of ['', '-wal', '-shm']) expect(await mode(fixture.path + suffix)).toBe(0o600)
  })

  test('migrates an empty file once and finds the data again', async () => {
    await using fixture = await openSqliteFixture()
    const account = buildAccount()
    await fixture.store.accounts.insert(account)
    const second = await fixture.openSecond()
    expect(await second.accounts.get(account.id)).toStrictEqual(account)
    using raw = new DatabaseSync(fixture.path)
    expect(raw.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 8 })
    expect(raw.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
    const tables = raw.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all()
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['accounts', 'refresh_log']))
  })

  test('migrates a file of the first version, and its data stay', async () => {
    await using fixture = await closedFile(0)
    const path = join(fixture.directory, 'first-version.db')
    const [account, run] = [buildAccount(), buildRun({ cursor: 'so far' })]
    const ofOnePlatform = buildRun({ filter: { platform: 'meta', dueBefore: AT } as Run['filter'] })
    const marker = buildRun({ occurrence: 'first-seen' })
    {
      using raw = new DatabaseSync(path)
      raw.exec(init)
      raw.exec('PRAGMA user_version = 1')
      insertKnown(raw, accountTable, account)
      for (const each of [run, ofOnePlatform, marker]) insertKnown(raw, runTable, each)
    }
    await using store = createSqliteStore({ path })
    expect(await store.accounts.get(account.id)).toStrictEqual(account)
    expect(await store.runs.get(run.id)).toStrictEqual(run)
    expect((await store.runs.get(ofOnePlatform.id))?.filter).toEqual({ platforms: ['meta'], dueBefore: AT })
    expect(await store.runs.get(marker.id)).toBeNull()
    expect(await store.apiKeys.list()).toEqual([])
    expect(await store.halts.list()).toEqual([])
  })

  test('several processes that start at once on no file agree', async () => {
    await using fixture = await closedFile(0)
    const path = join(fixture.directory, 'new', 'tokenkeeper.db')
    const outputs = await Promise.all(Array.from({ length: 6 }, () => runChild('increment.ts', `sqlite:${path}`, '0')))
    expect(outputs).toEqual(Array(6).fill('[]'))
    await using store = createSqliteStore({ path })
    await store.ping()
  })

  test('leaves one file behind when closed', async () => {
    await using fixture = await closedFile()
    await expect(stat(`${fixture.path}-wal`)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('refuses a file that a newer version made, and leaves it as it is', async () => {
    await using fixture = await closedFile()
    {
      using raw = new DatabaseSync(fixture.path)
      raw.exec('PRAGMA user_version = 99')
    }
    expect(await codeOf(() => createSqliteStore({ path: fixture.path }))).toBe('STORE_TOO_NEW')
    using raw = new DatabaseSync(fixture.path)
    expect(raw.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 99 })
    expect(raw.prepare('SELECT count(*) AS count FROM accounts').get()).toMatchObject({ count: 3 })
  })

  test('refuses what is no SQLite file, and leaves it as it is', async () => {
    await using fixture = await closedFile()
    const path = join(fixture.directory, 'notes.txt')
    const text = 'dear diary, '.repeat(1_000)
    await writeFile(path, text)
    expect(await codeOf(() => createSqliteStore({ path }))).toBe('STORE_CORRUPT')
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  test('refuses a damaged file: overwritten pages, a lost end', async () => {
    await using damaged = await closedFile(40)
    const { size } = await stat(damaged.path)
    {
      await using file = await open(damaged.path, 'r+')
      // All but the first page, which holds header and schema.
      await file.write(Buffer.alloc(size - 4096, 0x5a), 0, size - 4096, 4096)
    }
    expect(await codeOf(() => createSqliteStore({ path: damaged.path }))).toBe('STORE_CORRUPT')

    await using cut = await closedFile(40)
    await truncate(cut.path, Math.floor(size / 2))
    expect(await codeOf(() => createSqliteStore({ path: cut.path }))).toBe('STORE_CORRUPT')
  })

  test('damage that happens while it is open is told as such', async () => {
    await using fixture = await openSqliteFixture()
    const accounts = Array.from({ length: 40 }, () => buildAccount())
    for (const account of accounts) await fixture.store.accounts.insert(account)
    {
      using raw = new DatabaseSync(fixture.path)
      raw.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    }
    const { size } = await stat(fixture.path)
    {
      await using file = await open(fixture.path, 'r+')
      await file.write(Buffer.alloc(size - 4096, 0x5a), 0, size - 4096, 4096)
    }
    using raw = new DatabaseSync(fixture.path)
    raw.exec('PRAGMA user_version = 1') // a write of another: what the store holds in its cache is stale
    expect(await codeOf(() => fixture.store.accounts.list({ afterId: null, limit: 100 }))).toBe('STORE_CORRUPT')
  })

  test('a place that cannot be written is unavailable', async () => {
    await using fixture = await closedFile()
    const file = join(fixture.directory, 'file')
    await writeFile(file, '')
    expect(await codeOf(() => createSqliteStore({ path: join(file, 'x.db') }))).toBe('STORE_UNAVAILABLE')
    expect(await codeOf(() => createSqliteStore({ path: fixture.directory }))).toBe('STORE_UNAVAILABLE')

    const readOnly = join(fixture.directory, 'read-only')
    await mkdir(readOnly)
    await writeFile(join(readOnly, 'there.db'), await readFile(fixture.path))
    await chmod(fixture.directory, 0o755)
    await chmod(join(readOnly, 'there.db'), 0o444)
    await chmod(readOnly, 0o555)
    expect(await runChild('open.ts', join(readOnly, 'missing.db'))).toBe('STORE_UNAVAILABLE')
    expect(await runChild('open.ts', join(readOnly, 'there.db'))).toBe('STORE_UNAVAILABLE')
    expect(await runChild('open.ts', join(readOnly, 'deeper', 'missing.db'))).toBe('STORE_UNAVAILABLE')
    await chmod(readOnly, 0o755)
    await rm(readOnly, { recursive: true })
  })
})
