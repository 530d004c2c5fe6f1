import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, describe } from 'vitest'
import { killMatrix } from '../test/support/kill-matrix.ts'
import { createWorld } from '../test/support/world.ts'

/** Where the answer is lost between the provider's work and the commit: what the grace is for. */
const LOST_BEFORE_COMMIT = ['send.in-flight', 'send.processed-no-reply', 'reply.received', 'commit.before-write']

const mongo = await mongoForTests('the kill matrix on MongoDB')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())

describe.skipIf(mongo === null)('on MongoDB', () => {
  killMatrix({
    open: () => createWorld({ mongo: mongo! }),
    waitLongAt: ({ point }) => LOST_BEFORE_COMMIT.includes(point),
  })
})
