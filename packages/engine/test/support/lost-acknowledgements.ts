import { describe, expect, test } from 'vitest'
import { expectHealthy } from './invariants.ts'
import { losingAcknowledgement } from './lossy-store.ts'
import type { World } from './world.ts'

/** Declares the tests of writes whose acknowledgement is lost. */
export function lostAcknowledgementTests(world: () => World): void {
  describe('a lost acknowledgement', () => {
    test.each(['begin', 'commit'])('of %s is settled by reading again', async (name) => {
      for (const heard of ['error', 'unmatched'] as const) {
        const { account } = await world().connect()
        await using lossy = world().newActor({ store: losingAcknowledgement(world().store, name, heard) })
        const before = world().presentations().length
        const outcome = await lossy.engine.refreshAccount(account.id, { type: 'scheduled', force: true })
        expect(outcome).toEqual({ kind: 'refreshed', generation: 2 })
        expect(world().presentations().length).toBe(before + 1)
        await expectHealthy(world(), account.id)
      }
    })

    test('of a reconnect: it is not repeated over what others have refreshed since', async () => {
      const { account, user } = await world().connect()
      const lossy = losingAcknowledgement(world().store, 'reconnect')
      const login = await world().newLogin(user)
      await using actor = world().newActor({
        store: {
          ...lossy,
          accounts: {
            ...lossy.accounts,
            write: (write) =>
              lossy.accounts.write(write).catch(async (error) => {
                await world().refresh(account.id)
                throw error
              }),
          },
        },
      })
      const connected = await actor.engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
      expect(connected.id).toBe(account.id)
      expect(connected.generation).toBe(3) // 2 by the reconnect, 3 by the refresh
      await expectHealthy(world(), account.id)
    })
  })
}
