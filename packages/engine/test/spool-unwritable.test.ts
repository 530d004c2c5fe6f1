import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HOUR, MINUTE, SECOND } from '@tokenkeeper/core'
import { tempDir } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectHealthy } from './support/invariants.ts'
import { createWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/** An account that ends after so long (ms), refreshed by a process that has no place for a spool. */
async function refreshWithoutSpool(endsAfterMs: number) {
  await using dir = await tempDir()
  const spoolDir = join(dir.path, 'spool')
  await writeFile(spoolDir, 'in the way')
  await using actor = world.newActor({ spoolDir })
  const { account } = await world.connect()
  const now = world.clock.now()
  const set = { diesAt: now + endsAfterMs, nextRefreshAt: now }
  await world.store.accounts.write({ name: 'test', accountId: account.id, when: {}, change: { set } })
  const outcome = await actor.engine.refreshAccount(account.id, { type: 'scheduled' })
  return { outcome, now, id: account.id }
}

describe('without a spool', () => {
  test('nothing begins, and the account comes back in a minute', async () => {
    const { outcome, now, id } = await refreshWithoutSpool(HOUR)
    expect(outcome).toEqual({ kind: 'not_begun', code: 'SPOOL_UNAVAILABLE' })
    const account = await world.store.accounts.get(id)
    expect(account).toMatchObject({ generation: 1, attempt: null })
    expect(account!.nextRefreshAt - now).toBeGreaterThanOrEqual(MINUTE)
    expect(account!.nextRefreshAt - now).toBeLessThan(2 * MINUTE)
  })

  test('an account begins that would be dead by then', async () => {
    const { outcome, id } = await refreshWithoutSpool(90 * SECOND)
    expect(outcome).toEqual({ kind: 'refreshed', generation: 2 })
    await expectHealthy(world, id)
  })
})
