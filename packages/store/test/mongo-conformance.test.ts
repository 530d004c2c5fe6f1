import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { storeConformance } from '../src/conformance/index.ts'
import { type MongoDatabase, openDatabase, openMongoFixture } from './support/mongo-fixture.ts'

const server = await mongoForTests('conformance of the MongoDB store')

describe.skipIf(server === null)('on a MongoDB', () => {
  let database: MongoDatabase
  beforeAll(async () => {
    database = await openDatabase(server!)
  })
  afterAll(async () => {
    await database[Symbol.asyncDispose]()
    await server![Symbol.asyncDispose]()
  })

  storeConformance('MongoDB', () => openMongoFixture(database))
})
