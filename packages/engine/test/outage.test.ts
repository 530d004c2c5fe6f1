import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DAY } from '@tokenkeeper/core'
import { startPds, tempDir } from '@tokenkeeper/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectHealthy, expectLogged } from './support/invariants.ts'
import { lostAnswerTests } from './support/lost-answers.ts'
import { passTo, recover } from './support/recover.ts'
import { createWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterEach(() => world.proxy.clear())
afterAll(() => world[Symbol.asyncDispose]())

/** Works off what is due or may be taken over, as the fleet does, until the time. Returns how many calls were made. */
async function work(accountIds: readonly string[], until: number): Promise<number> {
  let calls = 0
  while (world.clock.now() < until) {
    const accounts = await world.store.accounts.getMany(accountIds)
    const next = Math.min(...accounts.map((account) => account.nextRefreshAt))
    passTo(world, Math.min(next, until))
    if (next > until) break
    for (const id of accountIds) {
      const outcome = await world.engine.refreshAccount(id, { type: 'scheduled' })
      if (outcome.kind !== 'skipped' && outcome.kind !== 'snoozed') calls++
    }
  }
  return calls
}

lostAnswerTests(() => world)

describe('a host that answers 502 for a day', () => {
  test('kills nobody; all are refreshed when it is back, and it was not hammered', async () => {
    const connected = await Promise.all(Array.from({ length: 4 }, () => world.connect()))
    const ids = connected.map(({ account }) => account.id)
    world.proxy.fault({ kind: 'status', status: 502 })
    await Promise.all(ids.map((id) => world.refresh(id)))
    const start = world.clock.now()
    const calls = await work(ids, start + DAY)
    expect(world.clock.now() - start).toBeGreaterThanOrEqual(DAY)
    expect(calls / ids.length).toBeLessThan(500)
    for (const account of await world.store.accounts.getMany(ids)) {
      expect(account).toMatchObject({ status: 'active', generation: 1 })
    }
    world.proxy.clear()
    for (const id of ids) {
      await recover(world, id)
      await expectHealthy(world, id)
    }
  })
})

describe('a host that asks us to wait', () => {
  test.each([
    ['by retry-after', () => ({ retryAfterS: 120 })],
    ['by ratelimit-reset', () => ({ resetS: Math.floor(world.clock.now() / 1000) + 120 })],
  ])('%s is left alone for that long, with all its accounts', async (_how, hint) => {
    const [one, other] = await Promise.all([world.connect(), world.connect()])
    world.proxy.fault({ kind: 'rate_limited', times: 1, ...hint() })
    const outcome = await world.refresh(one.account.id)
    expect(outcome).toMatchObject({ kind: 'failed', code: 'PROVIDER_RATE_LIMITED' })
    const before = world.presentations().length
    expect(await world.refresh(other.account.id)).toMatchObject({ kind: 'snoozed' })
    expect(world.presentations().length).toBe(before)
    expect((await world.read(other.account.id)).nextRefreshAt - world.clock.now()).toBeGreaterThan(100_000)
    if ('until' in outcome) passTo(world, outcome.until)
    expect(await world.refresh(one.account.id)).toMatchObject({ kind: 'refreshed' })
    expect(await world.refresh(other.account.id)).toMatchObject({ kind: 'refreshed' })
  })
})

describe('a PDS restored from a backup', () => {
  test('that knows only the previous token gives a successor for it', async () => {
    await using dir = await tempDir()
    const data = join(dir.path, 'pds')
    const backup = join(dir.path, 'backup')
    await mkdir(data)
    await using pds = await startPds({ clockFile: world.clockFile.path, dataDir: data })
    const [user] = await pds.createAccounts(1)
    const login = { ...world.loginOf(user!), serviceUrl: pds.url }
    await using actor = world.newActor({
      provider: (real) => ({ ...real, locate: async () => ({ kind: 'here' as const }) }),
    })
    const account = await actor.engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
    await pds.stop()
    await cp(data, backup, { recursive: true })
    await pds.start()
    const refresh = () => actor.engine.refreshAccount(account.id, { type: 'scheduled', force: true })
    expect(await refresh()).toEqual({ kind: 'refreshed', generation: 2 })
    await pds.stop()
    await rm(data, { recursive: true })
    await cp(backup, data, { recursive: true })
    await pds.start()
    expect(await refresh()).toEqual({ kind: 'refreshed', generation: 3 })
    expect(await refresh()).toEqual({ kind: 'refreshed', generation: 4 })
    await expectLogged(world, account.id)
    const session = await pds.getSession(world.open(await world.read(account.id)).accessToken)
    expect(session.status).toBe(200)
  })
})
