import { join } from 'node:path'
import { HOUR, SECOND } from '@tokenkeeper/core'
import { createSqliteStore } from '@tokenkeeper/store'
import { describe, expect, test } from 'vitest'
import { kill, storeAwayAtAnswer } from './deaths.ts'
import { actAt } from './gate.ts'
import { expectHealthy, expectLogged } from './invariants.ts'
import { passTo } from './recover.ts'
import type { World } from './world.ts'

/** A process leaves the successor in its spool and dies. */
async function dieWithSpool(world: World, accountId: string): Promise<void> {
  await kill(world, 'spool.after-fsync', { action: 'refresh', accountIds: [accountId] }, (process) =>
    storeAwayAtAnswer(world, process, 'spool.after-fsync'),
  )
}

/** Declares the tests of successors that lie in a spool because the store was away. */
export function spooledSuccessorTests(world: () => World): void {
  describe('a successor in a spool', () => {
    test('revives an account whose token was found dead meanwhile', async () => {
      const { account } = await world().connect()
      await dieWithSpool(world(), account.id)
      world().clockFile.advance(3 * HOUR)
      expect(await world().refresh(account.id)).toMatchObject({ kind: 'held' })
      expect(await world().engine.replaySpools()).toBe(1)
      await expectHealthy(world(), account.id)
    })

    test('revives an account that was judged dead after the hold', async () => {
      const { account } = await world().connect()
      await dieWithSpool(world(), account.id)
      world().clockFile.advance(3 * HOUR)
      for (const expected of ['held', 'failed', 'dead']) {
        const outcome = await world().refresh(account.id)
        expect(outcome.kind).toBe(expected)
        if ('until' in outcome) passTo(world(), outcome.until)
      }
      expect(await world().read(account.id)).toMatchObject({
        status: 'needs_reconnect',
        statusReason: 'BLUESKY_SESSION_EXPIRED',
      })
      expect(await world().engine.replaySpools()).toBe(1)
      await expectHealthy(world(), account.id)
      const events = await world().store.events.list({ accountId: account.id, limit: 10 })
      expect(events.map((event) => event.type).toSorted()).toEqual([
        'account.connected',
        'account.needs_reconnect',
        'account.revived',
      ])
    })

    test('is dropped when a newer generation stands there', async () => {
      const { account } = await world().connect()
      await dieWithSpool(world(), account.id)
      world().clockFile.advance(13 * SECOND)
      expect(await world().refresh(account.id)).toMatchObject({ kind: 'refreshed' })
      const newest = (await world().read(account.id)).sealedCredential
      expect(await world().engine.replaySpools()).toBe(0)
      expect((await world().read(account.id)).sealedCredential).toBe(newest)
      await expectHealthy(world(), account.id)
    })

    test('does not bring back an account that was removed', async () => {
      const { account } = await world().connect()
      await dieWithSpool(world(), account.id)
      await world().engine.removeAccount(account.id, 'test')
      expect(await world().engine.replaySpools()).toBe(0)
      expect(await world().store.accounts.get(account.id)).toBeNull()
      expect(await world().store.log.list({ accountId: account.id, limit: 10 })).toEqual([])
    })

    test('does not overwrite a newer login, whatever its generation', async () => {
      const { account, user } = await world().connect()
      await dieWithSpool(world(), account.id)
      // As after a database restored from a backup: the generations of the new login begin below the record's.
      await world().store.accounts.write({
        name: 'restore',
        accountId: account.id,
        when: {},
        change: { set: { generation: 0, attempt: null } },
      })
      const login = await world().newLogin(user)
      await world().engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
      expect((await world().read(account.id)).generation).toBe(1)
      expect(await world().engine.replaySpools()).toBe(0)
      expect(world().open(await world().read(account.id))).toEqual(login.credential)
    })

    test('is kept where the account is missing and nobody removed it: this is another database', async () => {
      const { account } = await world().connect()
      await dieWithSpool(world(), account.id)
      await using store = createSqliteStore({ path: join(world().scene.dir, 'mistyped.db') })
      await using misled = world().newActor({ store })
      expect(await misled.engine.replaySpools()).toBe(0)
      expect(await world().engine.replaySpools()).toBe(1)
      await expectHealthy(world(), account.id)
    })

    test('is not taken for committed because another told of its interruption', async () => {
      const { account } = await world().connect()
      await dieWithSpool(world(), account.id)
      world().clockFile.advance(13 * SECOND)
      let landed = -1
      await using taker = world().newActor({
        // Here the take-over has told "interrupted" under the dead attempt's id, and nobody has relayed that yet.
        hook: actAt('recovery.begin-acked', async () => {
          landed = await world().engine.replaySpools()
        }),
      })
      expect(await taker.engine.refreshAccount(account.id, { type: 'scheduled', force: true })).toEqual({
        kind: 'fenced',
      })
      expect(landed).toBe(1)
      expect((await world().read(account.id)).generation).toBe(2)
      await expectLogged(world(), account.id)
      expect(await world().refresh(account.id)).toMatchObject({ kind: 'refreshed' })
    })
  })
}
