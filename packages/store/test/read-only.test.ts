import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { mongoForTests, tempDir } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { buildAccount } from '../src/conformance/build-account.ts'
import { openStore } from '../src/index.ts'
import { openDatabase } from './support/mongo-fixture.ts'

const server = await mongoForTests('a MongoDB that is only read')

/** A database address, and what makes the database look as if an older, or a newer, Tokenkeeper had made it. */
async function sqlite() {
  const dir = await tempDir()
  const path = join(dir.path, 'x.db')
  return {
    url: `sqlite:${path}`,
    async setVersion(version: number) {
      using db = new DatabaseSync(path)
      db.exec(`PRAGMA user_version = ${version}`)
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}

async function mongodb() {
  const { url, db, ...database } = await openDatabase(server!)
  return {
    url,
    async setVersion(version: number) {
      await db.collection<{ _id: string }>('meta').updateOne({ _id: 'schema' }, { $set: { version } })
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

describe.each([['sqlite', sqlite], ...(server ? [['mongodb', mongodb] as const] : [])] as const)(
  'a store that is only read: %s',
  (_, makeDatabase) => {
    test('is read while others write', async () => {
      await using database = await makeDatabase()
      await using writing = await openStore(database.url)
      await using reading = await openStore(database.url, { readOnly: true })
      const account = buildAccount()
      await writing.accounts.insert(account)
      expect(await reading.accounts.get(account.id)).toStrictEqual(account)
    })

    test('must be there, and be of this version', async () => {
      await using database = await makeDatabase()
      const open = () => openStore(database.url, { readOnly: true })
      await expect(open()).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
      await (await openStore(database.url))[Symbol.asyncDispose]()
      await database.setVersion(1)
      await expect(open()).rejects.toMatchObject({ code: 'STORE_OUTDATED' })
      await database.setVersion(1_000)
      await expect(open()).rejects.toMatchObject({ code: 'STORE_TOO_NEW' })
    })
  },
)

test('SQLite refuses its writes', async () => {
  await using database = await sqlite()
  await (await openStore(database.url))[Symbol.asyncDispose]()
  await using reading = await openStore(database.url, { readOnly: true })
  await expect(reading.accounts.insert(buildAccount())).rejects.toMatchObject({ code: 'INTERNAL' })
  await expect(reading.ping()).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(await reading.accounts.count({})).toBe(0)
})
