import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectHealthy } from './support/invariants.ts'
import { createWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
}, 60_000)
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
  const asked = world.clock.now()
  const refresh = (since: number) => world.engine.refreshAccount(account.id, { type: 'manual', force: true, since })
  expect(await refresh(asked)).toEqual({ kind: 'refreshed', generation: 2 })
  expect(await refresh(asked)).toEqual({ kind: 'skipped', reason: 'not_due' })
  const { lastAttempt } = await world.read(account.id)
  expect(await refresh(lastAttempt!.at + 1)).toEqual({ kind: 'refreshed', generation: 3 })
})
