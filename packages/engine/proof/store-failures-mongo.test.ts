import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { lostAcknowledgementTests } from '../test/support/lost-acknowledgements.ts'
import { lostAnswerTests } from '../test/support/lost-answers.ts'
import { spooledSuccessorTests } from '../test/support/spooled-successors.ts'
import { storeAwayTests } from '../test/support/store-away.ts'
import { createWorld, type World } from '../test/support/world.ts'

const mongo = await mongoForTests('lost answers, lost acknowledgements and the store away, on MongoDB')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())

describe.skipIf(mongo === null)('on MongoDB', () => {
  let world: World
  beforeAll(async () => {
    world = await createWorld({ mongo: mongo! })
  })
  afterEach(() => world.proxy.clear())
  afterAll(() => world[Symbol.asyncDispose]())

  lostAnswerTests(() => world)
  lostAcknowledgementTests(() => world)
  spooledSuccessorTests(() => world)
  storeAwayTests(() => world)
})
