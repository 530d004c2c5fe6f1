import { makeId } from '@tokenkeeper/core'
import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MongoDatabase, openDatabase, openMongoFixture } from './support/mongo-fixture.ts'
import { processTests } from './support/process-tests.ts'
import { runChild } from './support/processes.ts'

const server = await mongoForTests('several processes on one MongoDB')

describe.skipIf(server === null)('several processes on one MongoDB', () => {
  let database: MongoDatabase
  beforeAll(async () => {
    database = await openDatabase(server!)
  })
  afterAll(async () => {
    await database[Symbol.asyncDispose]()
    await server![Symbol.asyncDispose]()
  })

  processTests(() => openMongoFixture(database))

  test('that start at once on no database agree', async () => {
    await using fresh = await openDatabase(server!)
    const ids = Array.from({ length: 8 }, () => makeId())
    const outputs = await Promise.all(ids.map((id) => runChild('insert.ts', fresh.url, id)))
    expect(outputs).toEqual(ids.map(() => 'inserted'))
    expect(await fresh.db.collection('accounts').countDocuments()).toBe(ids.length)
    expect(await fresh.db.collection('meta').countDocuments({ _id: 'schema' as never })).toBe(1)
  })
})
