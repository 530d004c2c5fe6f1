import { type AccountStatus, DAY, HOUR, haltIdOf, MINUTE, SECOND } from '@tokenkeeper/core'
import type { ErrorName } from '@tokenkeeper/graph-emulator'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PagesOutcome } from '../src/index.ts'
import { seePages, watchRequests } from './support/graph-pages.ts'
import { createGraphWorld, type GraphWorld } from './support/graph-world.ts'
import { newKey } from './support/storage.ts'

/** Listings that are refused, or not made. */

let world: GraphWorld
beforeEach(async () => {
  world = await createGraphWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const refuseListings = (error: ErrorName, times: number | null = 1) =>
  world.control.inject({ path: /accounts/, error, times })

/** How long the Pages of an account wait from now (ms). */
async function waits(accountId: string): Promise<number> {
  return (await world.read(accountId)).pagesDueAt! - world.clock.now()
}

async function set(accountId: string, fields: object, status?: AccountStatus) {
  const change = { set: fields, ...(status && { status: { active: status } }) }
  await world.store.accounts.write({ name: 'x', accountId, when: {}, change })
}

async function inTurn(accountIds: readonly string[]): Promise<PagesOutcome[]> {
  const outcomes: PagesOutcome[] = []
  for (const id of accountIds) outcomes.push(await world.engine.fetchPages(id))
  return outcomes
}

describe('a listing that is refused', () => {
  test('by an outage comes back in ten minutes, then ever later, up to six hours', async () => {
    const { account, user } = await world.connect('meta', 1)
    refuseListings('service', null)
    const seen: number[] = []
    for (let i = 0; i < 12; i++) {
      const outcome = await world.engine.fetchPages(account.id)
      expect(outcome).toEqual({ kind: 'failed', code: 'PROVIDER_UNAVAILABLE', until: expect.any(Number) })
      expect(await world.engine.fetchPages(account.id)).toEqual({ kind: 'not_due' })
      seen.push(await waits(account.id))
      world.pass(seen.at(-1)!)
    }
    expect(seen[0]).toBeGreaterThan(7 * MINUTE)
    expect(seen[0]).toBeLessThan(11 * MINUTE)
    expect(seen.at(-1)).toBeGreaterThan(4 * HOUR)
    expect(Math.max(...seen)).toBeLessThan(7 * HOUR)
    expect(await world.read(account.id)).toMatchObject({ status: 'active', failure: null, generation: 1 })
    world.control.clearInjections({})
    expect(await world.engine.fetchPages(account.id)).toMatchObject({ kind: 'fetched' })
    await seePages(world, account.id).expectWorking(user.pageIds)
  })

  test.each([
    ['a limit of the user', 'user_limit', 'PROVIDER_RATE_LIMITED', HOUR],
    ['a policy block', 'policy_block', 'META_POLICY_BLOCK', 6 * HOUR],
    ['a mistake of ours', 'invalid_parameter', 'PROVIDER_REJECTED_REQUEST', HOUR],
    ['a permission that is missing', 'permission_200', 'META_PERMISSION_MISSING', HOUR],
  ] as const)('by %s waits as long as it takes, and nothing else happens', async (_, error, code, wait) => {
    const { account } = await world.connect('meta', 1)
    refuseListings(error)
    expect(await world.engine.fetchPages(account.id)).toMatchObject({ kind: 'failed', code })
    expect(Math.abs((await waits(account.id)) - wait)).toBeLessThan(20 * SECOND)
    expect(await world.read(account.id)).toEqual({ ...account, pagesDueAt: expect.any(Number) })
    expect(await world.store.halts.list()).toEqual([])
  })

  test.each([
    [
      'removed the app',
      'META_ACCESS_REVOKED',
      'needs_reconnect',
      (appId: string, userId: string) => world.control.removeApp({ appId, userId }),
    ],
    [
      'is at a checkpoint',
      'META_CHECKPOINT',
      'needs_action',
      (_: string, userId: string) => world.control.setUser({ userId, checkpointed: true }),
    ],
  ] as const)('since the user %s: a refresh finds out, and decides', async (_, code, status, act) => {
    const { account } = await world.connect('meta', 1)
    await act(account.providerAppId, account.externalId)
    expect(await world.engine.fetchPages(account.id)).toMatchObject({ kind: 'failed', code })
    const { nextRefreshAt, status: still } = await world.read(account.id)
    expect([nextRefreshAt, still]).toEqual([expect.any(Number), 'active'])
    expect(nextRefreshAt).toBeLessThanOrEqual(world.clock.now())
    expect(await waits(account.id)).toBeGreaterThan(59 * MINUTE)
    await world.refreshIfDue(account.id)
    expect(await world.read(account.id)).toMatchObject({ status, statusReason: code })
  })

  test('for a permission that was taken back: that is told, once for each token', async () => {
    const { account } = await world.connect('meta', 1)
    await world.engine.fetchPages(account.id)
    const told = async () => {
      const events = await world.store.events.list({ accountId: account.id, limit: 100 })
      return events.filter(({ type }) => type === 'pages.refused').map(({ reason }) => reason)
    }
    refuseListings('permission_200', null)
    const missing = 'META_PERMISSION_MISSING'
    for (const generation of [1, 2]) {
      if (generation === 2) expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
      for (let i = 0; i < 3; i++) {
        await set(account.id, { pagesDueAt: world.clock.now() })
        expect(await world.engine.fetchPages(account.id)).toMatchObject({ kind: 'failed', code: missing })
        world.pass(DAY)
      }
      expect(await told()).toEqual(Array(generation).fill(missing))
    }
    expect(await world.read(account.id)).toMatchObject({ status: 'active' })
  })

  test('for anything else than what the user can see to: nothing of the kind is told', async () => {
    const { account } = await world.connect('meta', 1)
    for (const error of ['service', 'user_limit', 'policy_block', 'invalid_parameter', 'token_unknown'] as const) {
      refuseListings(error)
      await set(account.id, { pagesDueAt: world.clock.now() })
      expect(await world.engine.fetchPages(account.id)).toMatchObject({ kind: 'failed' })
    }
    const events = await world.store.events.list({ accountId: account.id, limit: 100 })
    expect(events.map(({ type }) => type)).toEqual(['account.connected'])
  })

  test('although refreshes go on to succeed: the two do not chase each other', async () => {
    const { account } = await world.connect('meta', 1)
    refuseListings('token_unknown', null)
    const requests = watchRequests(world)
    for (const end = world.clock.now() + 3 * DAY; world.clock.now() < end; world.pass(10 * MINUTE)) {
      await world.refreshIfDue(account.id)
      await world.engine.fetchPages(account.id)
    }
    expect(requests.exchanges()).toBeLessThanOrEqual(3)
    expect(requests.listings()).toBeLessThan(40)
    expect(await world.read(account.id)).toMatchObject({ status: 'active' })
  })
})

describe('when our app is refused', () => {
  test('listings stop for all, and go on when it is accepted again', async () => {
    const accounts = await Promise.all([1, 2, 3].map(() => world.connect('meta', 1)))
    const [{ account: first }] = accounts as [(typeof accounts)[number]]
    const { providerAppId: appId } = first
    world.control.setAppStanding({ appId, standing: 'disabled' })
    const requests = watchRequests(world)
    const outcomes = await inTurn(accounts.map(({ account }) => account.id))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['failed', 'put_off', 'put_off'])
    expect(outcomes).toMatchObject(Array(3).fill({ code: 'META_APP_INVALID', until: expect.any(Number) }))
    expect(requests.all()).toBe(1)
    expect(await world.store.halts.list()).toMatchObject([{ state: 'halted', providerAppId: appId }])
    world.control.setAppStanding({ appId, standing: 'live' })
    world.pass(16 * MINUTE)
    for (const { account, user } of accounts) {
      expect(await world.engine.fetchPages(account.id)).toMatchObject({ kind: 'fetched' })
      await seePages(world, account.id).expectWorking(user.pageIds)
    }
    expect(await world.store.halts.list()).toEqual([])
  })

  test('since it asked too much, one listing finds out whether that is over', async () => {
    const { account } = await world.connect('meta', 1)
    const { account: other } = await world.connect('meta', 1)
    refuseListings('app_limit')
    await world.engine.fetchPages(account.id)
    const requests = watchRequests(world)
    expect(await world.engine.fetchPages(other.id)).toMatchObject({ kind: 'put_off', code: 'PROVIDER_RATE_LIMITED' })
    expect(requests.all()).toBe(0)
    world.pass(HOUR + 20 * SECOND)
    expect(await world.engine.fetchPages(other.id)).toMatchObject({ kind: 'fetched' })
    expect(await world.store.halts.list()).toEqual([])
  })

  test('for a day, they come back soon all the same, since a person may end it', async () => {
    const { account } = await world.connect('meta', 1)
    const { account: other } = await world.connect('meta', 1)
    refuseListings('app_limit')
    await world.engine.fetchPages(account.id)
    const [halt] = await world.store.halts.list()
    await world.store.halts.update(halt!, { ...halt!, probeAt: world.clock.now() + DAY })
    await world.engine.fetchPages(other.id)
    for (const { id } of [account, other]) expect(await waits(id)).toBeLessThan(16 * MINUTE)
    await world.engine.endHalts('meta', undefined, 'test')
    world.pass(16 * MINUTE)
    expect(await inTurn([account.id, other.id])).toMatchObject([{ kind: 'fetched' }, { kind: 'fetched' }])
  })

  test('as it proves itself: no listing is made, until one that may finds out', async () => {
    const { account } = await world.connect('meta', 1)
    const { account: other, user } = await world.connect('meta', 1)
    const { platform, providerAppId } = account
    const now = world.clock.now()
    await world.store.halts.insert({
      id: haltIdOf(platform, providerAppId),
      platform,
      providerAppId,
      state: 'halted',
      code: 'META_PROOF_REFUSED',
      suspects: [],
      since: now,
      probeAt: now + 15 * MINUTE,
    })
    const requests = watchRequests(world)
    expect(await inTurn([account.id, other.id])).toMatchObject(
      Array(2).fill({ kind: 'put_off', code: 'META_PROOF_REFUSED' }),
    )
    expect(requests.all()).toBe(0)
    world.pass(16 * MINUTE)
    expect(await inTurn([account.id, other.id])).toMatchObject([{ kind: 'fetched' }, { kind: 'fetched' }])
    expect(requests.all()).toBe(2)
    expect(await world.store.halts.list()).toEqual([])
    await seePages(world, other.id).expectWorking(user.pageIds)
  })

  test('as a witness is asked: the others are not, and no Page is lost for it', async () => {
    const { account, user } = await world.connect('meta', 5)
    await world.engine.fetchPages(account.id)
    world.control.inject({ path: /accounts/, answer: { status: 200, body: { data: [] } } })
    world.control.inject({ path: /^\/\d+$/, error: 'app_limit', times: null })
    await set(account.id, { pagesDueAt: world.clock.now() })
    const requests = watchRequests(world)
    expect(await world.engine.fetchPages(account.id)).toMatchObject({ counts: { missed: 5, lost: 0 } })
    expect(requests.all()).toBe(2)
    expect(await world.store.halts.list()).toMatchObject([{ code: 'PROVIDER_RATE_LIMITED' }])
    const pages = await seePages(world, account.id).all()
    expect(pages.map(({ status }) => status)).toEqual(Array(user.pageIds.length).fill('active'))
    expect(pages.filter(({ missingCount }) => missingCount > 0)).toHaveLength(1)
  })
})

test('a host that asks to wait is left alone', async () => {
  const { account } = await world.connect('meta', 1)
  const { account: other } = await world.connect('meta', 1)
  world.proxy.fault({ kind: 'status', status: 429, headers: { 'retry-after': '600' }, body: 'no', times: 1 })
  await world.engine.fetchPages(account.id)
  const requests = watchRequests(world)
  expect(await world.engine.fetchPages(other.id)).toMatchObject({ kind: 'put_off', code: 'PROVIDER_RATE_LIMITED' })
  expect(requests.all()).toBe(0)
  expect(Math.abs((await waits(other.id)) - 10 * MINUTE)).toBeLessThan(20 * SECOND)
})

describe('no listing is made', () => {
  test.each<AccountStatus>(['needs_reconnect', 'quarantined', 'removing'])(
    'for an account that is %s',
    async (status) => {
      const { account } = await world.connect('meta', 1)
      await set(account.id, {}, status)
      const requests = watchRequests(world)
      expect(await world.engine.fetchPages(account.id)).toEqual({ kind: 'off' })
      expect(requests.all()).toBe(0)
    },
  )

  test.each<AccountStatus>(['paused', 'needs_action'])('but for one that is %s', async (status) => {
    const { account } = await world.connect('meta', 1)
    await set(account.id, {}, status)
    expect(await world.engine.fetchPages(account.id)).toMatchObject({ kind: 'fetched' })
  })

  test('for one that is not there, or of a platform without Pages', async () => {
    expect(await world.engine.fetchPages('a'.repeat(24))).toEqual({ kind: 'off' })
    const { account } = await world.connect('threads')
    expect(account.pagesDueAt).toBeNull()
    expect(await world.engine.fetchPages(account.id)).toEqual({ kind: 'off' })
  })

  test('with a credential that does not open', async () => {
    const { account } = await world.connect('meta', 1)
    await using actor = world.newActor({ keys: newKey('other') })
    const requests = watchRequests(world)
    expect(await actor.engine.fetchPages(account.id)).toMatchObject({ kind: 'failed', code: 'KEY_MISSING' })
    expect(requests.all()).toBe(0)
    expect(await waits(account.id)).toBeGreaterThan(59 * MINUTE)
  })
})
