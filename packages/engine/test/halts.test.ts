import { HOUR, type Hook, MINUTE, SECOND } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { standingHalt } from '../src/halts.ts'
import { gateAt } from './support/gate.ts'
import type { GraphPlatform } from './support/graph-world.ts'
import { createHaltWorld, type HaltWorld, PROBES } from './support/halt-world.ts'

let world: HaltWorld
beforeEach(async () => {
  world = await createHaltWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

/** A hook that lets none go on from a point before so many have come there. */
function meeting(point: string, count: number): Hook {
  const all = Promise.withResolvers<void>()
  let arrived = 0
  return async (at) => {
    if (at !== point) return
    if (++arrived === count) all.resolve()
    await all.promise
  }
}

/** Each cause, how it comes and how it goes. */
const CAUSES = [
  [
    'meta',
    'its secret is reset',
    'META_APP_SECRET_WRONG',
    () => world.resetSecret(),
    () => world.resetSecret(world.appOf('meta').secret),
  ],
  ['meta', 'it is disabled', 'META_APP_INVALID', ...standing('meta', 'disabled')],
  ['meta', 'it is restricted', 'META_APP_BLOCKED', ...standing('meta', 'restricted')],
  ['instagram', 'it is disabled', 'META_APP_INVALID', ...standing('instagram', 'disabled')],
  ['instagram', 'it is restricted', 'META_APP_BLOCKED', ...standing('instagram', 'restricted')],
  ['threads', 'it is disabled', 'META_APP_INVALID', ...standing('threads', 'disabled')],
  ['threads', 'it is restricted', 'META_APP_BLOCKED', ...standing('threads', 'restricted')],
] as const

function standing(platform: GraphPlatform, bad: 'disabled' | 'restricted') {
  return [() => world.setStanding(platform, bad), () => world.setStanding(platform, 'live')] as const
}

describe.each(CAUSES)('the app at %s: %s', (platform, _cause, code, breakIt, mendIt) => {
  test('halts the platform: no account is blamed, one request each 15 minutes asks, and then all goes on', async () => {
    const ids = await world.connectMany(platform, 3)
    const [first, second, third] = ids as [string, string, string]
    breakIt()
    const asked = world.watchRequests()
    expect(await world.refresh(first)).toMatchObject({ kind: 'failed', code })
    expect(asked()).toHaveLength(1)
    const halt = await world.haltOf(platform)
    expect(halt).toMatchObject({
      platform,
      providerAppId: world.appOf(platform).id,
      state: 'halted',
      code,
      suspects: [first],
    })
    const { nextRefreshAt, failure } = await world.read(first)
    expect(failure).toMatchObject({ class: 'transient', code, count: 1 })
    expect(nextRefreshAt - halt!.probeAt).toBeGreaterThanOrEqual(0)
    expect(nextRefreshAt - halt!.probeAt).toBeLessThan(10 * SECOND)

    world.pass(14 * MINUTE)
    for (const id of ids) expect(await world.refresh(id)).toMatchObject({ kind: 'snoozed' })
    expect((await world.read(second)).nextRefreshAt).toBeGreaterThanOrEqual(halt!.probeAt)
    expect(asked()).toEqual([])

    for (let round = 0; round < 3; round++) {
      world.pass(15 * MINUTE)
      for (const id of ids) expect(['snoozed', 'failed']).toContain((await world.refresh(id)).kind)
      expect(asked()).toEqual(PROBES[platform])
    }
    await world.expectAllActive(ids, 1)

    mendIt()
    for (const id of ids) expect(await world.refresh(id)).toMatchObject({ kind: 'snoozed' })
    expect(asked()).toEqual([])
    world.pass(15 * MINUTE + 10 * SECOND)
    for (const id of [third, second, first]) expect(await world.refreshIfDue(id)).toMatchObject({ kind: 'refreshed' })
    await world.expectAllActive(ids, 2)
    expect(await world.store.halts.list()).toEqual([])
  })

  test('is told as an error once, however many meet it at once', async () => {
    const ids = await world.connectMany(platform, 6)
    breakIt()
    const together = meeting('send.checked-not-sent', ids.length)
    await using actor = world.newActor({ hook: together, log: world.log })
    const options = { type: 'manual', force: true } as const
    const outcomes = await Promise.all(ids.map((id) => actor.engine.refreshAccount(id, options)))
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(6).fill('failed'))
    await world.expectAllActive(ids, 1)
    expect(world.errors()).toMatchObject([{ code, msg: `${platform} halted: our app is refused` }])
  })
})

test('other platforms go on', async () => {
  const [[meta], [instagram]] = [await world.connectMany('meta', 1), await world.connectMany('instagram', 1)]
  world.resetSecret()
  expect(await world.refresh(meta!)).toMatchObject({ kind: 'failed' })
  expect(await world.refresh(instagram!)).toMatchObject({ kind: 'refreshed' })
  expect((await world.store.halts.list()).map(({ platform }) => platform)).toEqual(['meta'])
})

test('where a platform knows no apps, nobody looks for halts', async () => {
  const store = { halts: { get: () => Promise.reject(new Error('looked')) } } as unknown as Store
  expect(await standingHalt({ store }, { platform: 'bluesky', providerAppId: '' })).toBeNull()
})

describe('an app that has asked too much', () => {
  test.each<GraphPlatform>(['meta', 'instagram'])(
    'at %s is left alone by all until the limit is over',
    async (platform) => {
      const ids = await world.connectMany(platform, 3)
      world.control.setBudget({ appId: world.appOf(platform).id, app: 0 })
      const asked = world.watchRequests()
      expect(await world.refresh(ids[0]!)).toMatchObject({ kind: 'failed', code: 'PROVIDER_RATE_LIMITED' })
      await using other = world.newActor()
      expect(await other.engine.refreshAccount(ids[1]!, { type: 'manual', force: true })).toMatchObject({
        kind: 'snoozed',
      })
      world.pass(59 * MINUTE)
      expect(await world.refresh(ids[2]!)).toMatchObject({ kind: 'snoozed' })
      expect(await world.engine.probeHalts()).toBe(0)
      expect(asked()).toHaveLength(1)
      expect(world.errors()).toEqual([])

      world.pass(MINUTE + 10 * SECOND)
      // Only what refreshes do tells about their budget.
      expect(await world.engine.probeHalts()).toBe(0)
      expect(asked()).toEqual([])
      expect(await world.refreshIfDue(ids[0]!)).toMatchObject({ kind: 'failed', code: 'PROVIDER_RATE_LIMITED' })
      const halt = await world.haltOf(platform)
      expect(halt!.probeAt - world.clock.now()).toBeGreaterThan(59 * MINUTE)
      expect(await world.refreshIfDue(ids[1]!)).toMatchObject({ kind: 'snoozed' })
      expect(asked()).toHaveLength(1)

      world.control.setBudget({ appId: world.appOf(platform).id, app: 1_000 })
      world.pass(HOUR + 10 * SECOND)
      for (const id of ids) expect(await world.refreshIfDue(id)).toMatchObject({ kind: 'refreshed' })
      expect(await world.store.halts.list()).toEqual([])
      await world.expectAllActive(ids, 2)
    },
  )

  test('is looked at again in 15 minutes, however long it lasts: a person may end it before', async () => {
    const [id] = await world.connectMany('meta', 1)
    await world.store.halts.insert(world.halted('meta', { code: 'PROVIDER_RATE_LIMITED', probeAt: world.clock.now() }))
    world.control.inject({ host: 'facebook', error: 'app_limit' })
    expect(await world.refresh(id!)).toMatchObject({ kind: 'failed', code: 'PROVIDER_RATE_LIMITED' })
    expect((await world.haltOf('meta'))!.probeAt - world.clock.now()).toBeGreaterThan(59 * MINUTE)
    await world.engine.endHalts('meta', undefined, 'someone')
    world.pass(15 * MINUTE + 10 * SECOND)
    expect(await world.refreshIfDue(id!)).toMatchObject({ kind: 'refreshed' })
  })

  test('and is refused as well: the refusal is what stands, and the longer wait', async () => {
    const [id] = await world.connectMany('meta', 1)
    await world.store.halts.insert(world.halted('meta', { code: 'PROVIDER_RATE_LIMITED', probeAt: world.clock.now() }))
    world.resetSecret()
    expect(await world.refresh(id!)).toMatchObject({ kind: 'failed', code: 'META_APP_SECRET_WRONG' })
    expect(await world.haltOf('meta')).toMatchObject({ code: 'META_APP_SECRET_WRONG' })
    world.resetSecret(world.appOf('meta').secret)
    world.pass(15 * MINUTE)
    world.control.inject({ host: 'facebook', error: 'app_limit' })
    expect(await world.engine.probeHalts()).toBe(0)
    const halt = await world.haltOf('meta')
    expect(halt).toMatchObject({ code: 'META_APP_SECRET_WRONG' })
    expect(halt!.probeAt - world.clock.now()).toBeGreaterThan(59 * MINUTE)
  })
})

test('a secret that was reset is not blamed on a token without an end, which is only looked at', async () => {
  const appId = world.appOf('meta').id
  const { id: userId } = world.control.createUser({ family: 'facebook', systemUser: true })
  world.control.grant({ appId, userId })
  const { accessToken } = world.control.issueToken({ appId, userId, expiresIn: null })
  const { id } = await world.engine.connectAccount(
    {
      platform: 'meta',
      providerAppId: appId,
      externalId: userId,
      displayName: 'System user',
      serviceUrl: null,
      issuer: 'business',
      scopes: [],
      credential: { accessToken, refreshToken: '' },
      accessExpiresAt: null,
      diesAt: null,
      dataAccessExpiresAt: null,
    },
    { ownerId: 'owner', actor: 'test' },
  )
  world.resetSecret()
  const asked = world.watchRequests()
  expect(await world.refresh(id)).toMatchObject({ kind: 'failed', code: 'META_APP_SECRET_WRONG' })
  expect(asked()).toEqual(['/debug_token'])
  expect(await world.haltOf('meta')).toMatchObject({ state: 'halted', code: 'META_APP_SECRET_WRONG' })
  await world.expectAllActive([id], 1)
})

describe('a dead code while the platform is halted', () => {
  test.each<GraphPlatform>(['meta', 'instagram'])(
    'at %s is not believed, and no witness is asked',
    async (platform) => {
      const { account, user } = await world.connect(platform)
      world.pass(25 * HOUR)
      const gate = gateAt('dead.before-reread')
      await using actor = world.newActor({ hook: gate.hook })
      world.control.removeApp({ appId: world.appOf(platform).id, userId: user.id })
      const asked = world.watchRequests()
      const refreshing = actor.engine.refreshAccount(account.id, { type: 'manual', force: true })
      await gate.reached
      await world.store.halts.insert(world.halted(platform))
      gate.open()
      expect(await refreshing).toMatchObject({ kind: 'failed', code: 'META_ACCESS_REVOKED' })
      expect(asked()).toHaveLength(1)
      await world.expectAllActive([account.id], 1)
      const { nextRefreshAt } = await world.read(account.id)
      expect(nextRefreshAt).toBeGreaterThanOrEqual((await world.haltOf(platform))!.probeAt)
      world.pass(15 * MINUTE + 10 * SECOND)
      expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'dead', code: 'META_ACCESS_REVOKED' })
    },
  )

  test('is not believed either if the halt begins while the witness answers', async () => {
    const { account, user } = await world.connect()
    world.control.removeApp({ appId: world.appOf('meta').id, userId: user.id })
    const held = world.proxy.fault({ kind: 'hold', match: ({ path }) => path.includes('debug_token') })
    const refreshing = world.refresh(account.id)
    await held.reached
    await world.store.halts.insert(world.halted('meta'))
    held.release()
    expect(await refreshing).toMatchObject({ kind: 'failed', code: 'META_ACCESS_REVOKED' })
    await world.expectAllActive([account.id], 1)
  })
})

test('a halt that cannot be noted keeps no account from ending its attempt', async () => {
  const [id] = await world.connectMany('meta', 1)
  world.resetSecret()
  const away = { ...world.store, halts: { ...world.store.halts, insert: () => Promise.reject(new Error('away')) } }
  await using actor = world.newActor({ store: away })
  const outcome = await actor.engine.refreshAccount(id!, { type: 'manual', force: true })
  expect(outcome).toMatchObject({ kind: 'failed', code: 'META_APP_SECRET_WRONG' })
  await world.expectAllActive([id!], 1)
})

test('an outcome that is unknown is recovered when the halt is over', async () => {
  const [id] = await world.connectMany('meta', 1)
  const lost = world.proxy.fault({ kind: 'drop_answer', times: 1 })
  expect(await world.refresh(id!)).toMatchObject({ kind: 'ambiguous' })
  await lost.reached
  await world.store.halts.insert(world.halted('meta'))
  world.pass(5 * MINUTE)
  const asked = world.watchRequests()
  expect(await world.refresh(id!)).toMatchObject({ kind: 'snoozed' })
  expect(asked()).toEqual([])
  expect((await world.read(id!)).attempt).toMatchObject({ state: 'released' })
  world.pass(10 * MINUTE + 10 * SECOND)
  expect(await world.refreshIfDue(id!)).toMatchObject({ kind: 'refreshed' })
})
