import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, describe } from 'vitest'
import { createGraphWorld } from '../test/support/graph-world.ts'
import { killMatrix } from '../test/support/kill-matrix.ts'
import { createWorld } from '../test/support/world.ts'

/** Beside the matrix of Bluesky on SQLite, which is a test. */

/** Where the answer is lost between the provider's work and the commit: what the grace is for. */
const LOST_BEFORE_COMMIT = ['send.in-flight', 'send.processed-no-reply', 'reply.received', 'commit.before-write']

const mongo = await mongoForTests('the kill matrices on MongoDB')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())

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
