import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, describe } from 'vitest'
import { createGraphWorld } from '../test/support/graph-world.ts'
import { killMatrix, LOST_BEFORE_COMMIT } from '../test/support/kill-matrix.ts'
import { createWorld } from '../test/support/world.ts'

const mongo = await mongoForTests('the kill matrices on MongoDB')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())

describe('Bluesky on SQLite', () => {
  killMatrix({ open: createWorld })
})

describe.skipIf(mongo === null)('Bluesky on MongoDB', () => {
  killMatrix({
    open: () => createWorld({ mongo: mongo! }),
    waitLongAt: ({ point }) => LOST_BEFORE_COMMIT.includes(point),
  })
})

// The old token goes on working: no time is long.
describe('Meta on SQLite', () => {
  killMatrix({ open: createGraphWorld, waitLongAt: () => false })
})

describe.skipIf(mongo === null)('Meta on MongoDB', () => {
  killMatrix({ open: () => createGraphWorld({ mongo: mongo! }), waitLongAt: () => false })
})
