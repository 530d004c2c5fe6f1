import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { inspectStore } from '../src/index.ts'
import { SCHEMA_VERSION } from '../src/mongo/prepare.ts'
import { openDatabase, openMongoFixture } from './support/mongo-fixture.ts'
import { openSqliteFixture } from './support/sqlite-fixture.ts'

describe('a SQLite file', () => {
  test('is well, also while it is used', async () => {
    await using fixture = await openSqliteFixture()
    const { schema, ...rest } = await inspectStore(`sqlite:${fixture.path}`)
    expect(schema.found).toBe(schema.known)
    expect(rest).toEqual({
      kind: 'sqlite',
      version: expect.stringMatching(/^3\./),
      missingIndexes: [],
      notDurable: null,
      copies: 1,
    })
  })

  test('that lacks an index, is of another version or of another journal mode', async () => {
    await using fixture = await openSqliteFixture()
    await fixture.store[Symbol.asyncDispose]()
    {
      using raw = new DatabaseSync(fixture.path)
      raw.exec('DROP INDEX runs_schedule; PRAGMA user_version = 99; PRAGMA journal_mode = DELETE')
    }
    expect(await inspectStore(`sqlite:${fixture.path}`)).toMatchObject({
      schema: { found: 99 },
      missingIndexes: ['runs_schedule'],
      notDurable: expect.stringContaining('delete'),
    })
  })

  test('that is not there is not made, and what is none is told', async () => {
    await using fixture = await openSqliteFixture()
    const path = join(fixture.directory, 'other.db')
    await expect(inspectStore(`sqlite:${path}`)).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
    await writeFile(path, 'no database, though it is long enough to be taken for one: '.repeat(100))
    await expect(inspectStore(`sqlite:${path}`)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(inspectStore(`file:${path}`)).rejects.toMatchObject({ code: 'STORE_URL_UNKNOWN' })
  })

  test('that another process keeps locked is away', async () => {
    await using fixture = await openSqliteFixture()
    using raw = new DatabaseSync(fixture.path)
    raw.exec('BEGIN IMMEDIATE')
    await expect(inspectStore(`sqlite:${fixture.path}`)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  }, 20_000)
})

const server = await mongoForTests('a look at a MongoDB')
if (server) afterAll(() => server[Symbol.asyncDispose]())

describe.skipIf(server === null)('a MongoDB', () => {
  test('is well, lacks an index, or is of another version', async () => {
    await using database = await openDatabase(server!)
    await using _fixture = await openMongoFixture(database)
    expect(await inspectStore(database.url)).toEqual({
      kind: 'mongodb',
      version: expect.stringMatching(/^\d+\./),
      schema: { found: SCHEMA_VERSION, known: SCHEMA_VERSION },
      missingIndexes: [],
      notDurable: null,
      copies: expect.any(Number),
    })
    await database.db.collection('runs').dropIndex('latest')
    await database.db.collection<{ _id: string }>('meta').updateOne({ _id: 'schema' }, { $set: { version: 2 } })
    expect(await inspectStore(database.url)).toMatchObject({ schema: { found: 2 }, missingIndexes: ['runs.latest'] })
    // Nothing was mended by looking.
    expect(await inspectStore(database.url)).toMatchObject({ schema: { found: 2 }, missingIndexes: ['runs.latest'] })
  })

  test('that has nothing of ours is not filled', async () => {
    await using database = await openDatabase(server!)
    await expect(inspectStore(database.url)).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
    expect(await database.db.collections()).toEqual([])
  })

  test('that is away', async () => {
    await expect(inspectStore('mongodb://127.0.0.1:1/none')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  }, 20_000)
})
