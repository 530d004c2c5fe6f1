import { SECOND } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { actAt } from './gate.ts'
import { expectHealthy } from './invariants.ts'
import { passTo, recover } from './recover.ts'
import type { World } from './world.ts'

/** Declares the tests of a store that goes away for a while, whatever the time. */
export function storeAwayTests(world: () => World): void {
  describe('a store that goes away', () => {
    test('after the account was read: no token leaves', async () => {
      const { account } = await world().connect()
      const before = world().presentations().length
      let unlock = async () => {}
      await using actor = world().newActor({
        hook: actAt('begin.before-write', async () => {
          unlock = await world().witness.lock()
        }),
      })
      try {
        const outcome = await actor.engine.refreshAccount(account.id, { type: 'scheduled', force: true })
        expect(outcome).toEqual({ kind: 'not_begun', code: 'STORE_UNAVAILABLE' })
      } finally {
        await unlock()
      }
      expect(world().presentations().length).toBe(before)
      // The write may have arrived after all, in which case it is an attempt like any other.
      world().clockFile.advance(13 * SECOND)
      await recover(world(), account.id)
      await expectHealthy(world(), account.id)
    })

    test('for a moment after the answer: the commit gets through by itself', async () => {
      const { account } = await world().connect()
      let back = Promise.resolve()
      await using actor = world().newActor({
        hook: actAt('commit.before-write', async () => {
          const unlock = await world().witness.lock()
          back = actor.clock.sleep(SECOND).then(unlock)
        }),
      })
      const outcome = await actor.engine.refreshAccount(account.id, { type: 'scheduled', force: true })
      await back
      expect(outcome).toEqual({ kind: 'refreshed', generation: 2 })
      await expectHealthy(world(), account.id)
    })

    test('for longer than the commit is tried: the answer waits in the spool', async () => {
      const { account } = await world().connect()
      let unlock = async () => {}
      await using actor = world().newActor({
        times: { commitPatienceMs: 100 },
        hook: actAt('reply.received', async () => {
          unlock = await world().witness.lock()
        }),
      })
      try {
        expect(await actor.engine.refreshAccount(account.id, { type: 'scheduled', force: true })).toEqual({
          kind: 'spooled',
        })
      } finally {
        await unlock()
      }
      await actor.engine.replaySpools()
      const { attempt } = await world().read(account.id)
      passTo(world(), attempt?.leaseUntil ?? 0)
      await recover(world(), account.id)
      await expectHealthy(world(), account.id)
    })
  })
}
