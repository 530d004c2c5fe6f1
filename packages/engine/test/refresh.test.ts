import { type Account, attemptKey } from '@tokenkeeper/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectHealthy } from './support/invariants.ts'
import { createWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('a refresh stores the successor and logs it once', async () => {
  const { account } = await world.connect()
  expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
  const fresh = await world.read(account.id)
  expect(world.open(fresh).refreshToken).not.toBe(world.open(account).refreshToken)
  expect(fresh.previousCredential).toBe(account.sealedCredential)
  expect(fresh.nextRefreshAt).toBeGreaterThan(world.clock.now())
  await expectHealthy(world, account.id)
})

test('forced, but attempted since it was asked for: not once more', async () => {
  const { account } = await world.connect()
  const refresh = ({ lastAttempt }: Account) =>
    world.engine.refreshAccount(account.id, { type: 'manual', force: true, seen: attemptKey(lastAttempt) })
  expect(await refresh(account)).toEqual({ kind: 'refreshed', generation: 2 })
  expect(await refresh(account)).toEqual({ kind: 'skipped', reason: 'not_due' })
  const refreshed = await world.read(account.id)
  expect(await refresh(refreshed)).toEqual({ kind: 'refreshed', generation: 3 })
  expect(await refresh(refreshed)).toEqual({ kind: 'skipped', reason: 'not_due' })
})
