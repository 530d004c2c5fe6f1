import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { createGraphWorld, type GraphWorld } from './support/graph-world.ts'
import { pageCareTests } from './support/page-care-tests.ts'
import { pageTests } from './support/page-tests.ts'

const mongo = await mongoForTests('Pages on MongoDB')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())

describe.each([
  ['SQLite', null],
  ['MongoDB', mongo],
])('Pages on %s', (name, server) => {
  if (name === 'MongoDB' && server === null) return
  let world: GraphWorld
  beforeAll(async () => {
    world = await createGraphWorld(server ? { mongo: server } : {})
  })
  afterEach(() => world.control.clearInjections({}))
  afterAll(() => world[Symbol.asyncDispose]())

  pageTests(() => world)
  pageCareTests(() => world)
})
