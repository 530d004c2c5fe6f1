import { HOUR, MINUTE, SECOND } from '@tokenkeeper/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEATHS, type Death, kill } from './deaths.ts'
import { expectHealthy, expectLogged } from './invariants.ts'
import type { MatrixWorld } from './matrix-world.ts'
import { expectNothingSentWhileStoreIsAway, recover } from './recover.ts'

/** Where the answer is lost between the provider's work and the commit: what the grace is for. */
export const LOST_BEFORE_COMMIT = ['send.in-flight', 'send.processed-no-reply', 'reply.received', 'commit.before-write']

export interface MatrixOptions {
  open(): Promise<MatrixWorld>
  /** The points at which also the long waits are tried: nearly all of the grace, and more than it. */
  readonly waitLongAt?: (death: Death) => boolean
}

/** Declares the tests: a real process dies at every kill point, and what is left is recovered. */
export function killMatrix({ open, waitLongAt = () => true }: MatrixOptions): void {
  let world: MatrixWorld
  beforeAll(async () => {
    world = await open()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  /** A real process dies at the point; what is left is recovered after the clock has moved. */
  async function dieAndWait(death: Death, waitMs: number): Promise<string> {
    const { account } = await world.connect()
    world.proxy.clear()
    await death.die(world, account)
    world.clockFile.advance(waitMs)
    return account.id
  }

  async function dieAndRecover(death: Death, waitMs: number): Promise<void> {
    const id = await dieAndWait(death, waitMs)
    await recover(world, id)
    await expectHealthy(world, id)
  }

  describe.each(DEATHS)('killed at $point', (death) => {
    test('recovered at once', () => dieAndRecover(death, 13 * SECOND))

    test('killed again in the recovery, with the store away between', async () => {
      const id = await dieAndWait(death, 13 * SECOND)
      await expectNothingSentWhileStoreIsAway(world, id)
      await kill(world, 'reply.received', { action: 'refresh', accountIds: [id] })
      world.clockFile.advance(13 * SECOND)
      await recover(world, id)
      await expectHealthy(world, id)
    })
  })

  const longDeaths = DEATHS.filter(waitLongAt)
  if (longDeaths.length === 0) return
  describe.each(longDeaths)('killed at $point', (death) => {
    test('recovered after 119 minutes', () => dieAndRecover(death, 119 * MINUTE))

    test('recovered after 121 minutes, or held where the only answer was lost', async () => {
      const id = await dieAndWait(death, 121 * MINUTE)
      await recover(world, id)
      const { attempt, status } = await world.read(id)
      if (death.answerLost && attempt !== null) {
        expect({ state: attempt.state, status }).toEqual({ state: 'held', status: 'active' })
        await expectLogged(world, id)
      } else {
        await expectHealthy(world, id)
      }
    })
  })

  test('the sessions that were held are dead for good, so that the matrix shows what it claims', () => {
    expect(DEATHS.filter((death) => death.answerLost).length).toBeGreaterThan(5)
    expect(world.clockFile.offset()).toBeGreaterThan(HOUR)
  })
}
