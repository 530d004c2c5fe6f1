import { DAY, HOUR, MINUTE, SECOND } from '@tokenkeeper/core'
import { connectSystemUser } from '@tokenkeeper/providers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createActor } from './support/actor.ts'
import { createGraphWorld, type GraphPlatform, type GraphWorld } from './support/graph-world.ts'

let world: GraphWorld
beforeEach(async () => {
  world = await createGraphWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const eventsOf = async (accountId: string) =>
  (await world.store.events.list({ accountId, limit: 100 })).toReversed().map(({ type, reason }) => [type, reason])
const logOf = (accountId: string) => world.store.log.list({ accountId, limit: 100 })
/** Requests since the last look. */
function countRequests() {
  const before = world.control.requests({}).count
  return () => world.control.requests({}).count - before
}

describe.each<GraphPlatform>(['meta', 'instagram', 'threads'])('%s', (platform) => {
  test('is connected, falls due in time and is refreshed by a token that works, again and again', async () => {
    let { account } = await world.connect(platform)
    expect(await world.works(account)).toBe(true)
    for (let generation = 2; generation <= 4; generation++) {
      expect(await world.refreshIfDue(account.id)).toEqual({ kind: 'skipped', reason: 'not_due' })
      world.passTo(account.nextRefreshAt)
      if (platform === 'meta') world.control.engage({ appId: account.providerAppId, userId: account.externalId })
      expect(account.diesAt! - world.clock.now()).toBeGreaterThan(6 * DAY)
      expect(await world.refreshIfDue(account.id)).toEqual({ kind: 'refreshed', generation })
      const before = account
      account = await world.read(account.id)
      expect(account.diesAt! - before.diesAt!).toBeGreaterThan(50 * DAY)
      expect(await world.works(account)).toBe(true)
    }
    const log = await logOf(account.id)
    expect(log.map(({ extension }) => extension)).toEqual(['extended', 'extended', 'extended'])
    expect(await eventsOf(account.id)).toEqual([['account.connected', null]])
  })
})

describe('a refresh that does not extend', () => {
  beforeEach(() => world.control.configure({ refreshMode: 'same_expiry' }))

  test('is recorded, warned of once, and told by the account itself', async () => {
    const { account } = await world.connect()
    let due = account
    for (let generation = 2; generation <= 4; generation++) {
      world.passTo(due.nextRefreshAt)
      expect(await world.refreshIfDue(account.id)).toEqual({ kind: 'refreshed', generation })
      due = await world.read(account.id)
    }
    expect(due).toMatchObject({ status: 'active', statusReason: 'TOKEN_NOT_EXTENDED' })
    expect((await logOf(account.id)).map(({ extension }) => extension)).toEqual(Array(3).fill('same_expiry'))
    expect(await eventsOf(account.id)).toEqual([
      ['account.connected', null],
      ['account.reconnect_soon', 'TOKEN_NOT_EXTENDED'],
    ])
    const [warning] = await world.store.events.list({ accountId: account.id, limit: 1 })
    expect(account.diesAt! - warning!.at).toBeGreaterThan(6 * DAY)
  })

  test('alarms nobody while there is time', async () => {
    const { account } = await world.connect()
    world.pass(DAY)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
    expect((await world.read(account.id)).statusReason).toBeNull()
    expect(await eventsOf(account.id)).toEqual([['account.connected', null]])
  })

  test('no longer warns after one that does', async () => {
    const { account } = await world.connect()
    world.passTo(account.nextRefreshAt)
    await world.refreshIfDue(account.id)
    world.control.configure({ refreshMode: 'extends' })
    world.pass(HOUR)
    await world.refresh(account.id)
    expect((await world.read(account.id)).statusReason).toBeNull()
  })
})

test('an answer without a lifetime has its end looked up', async () => {
  world.control.configure({ refreshMode: 'omit_expires_in' })
  const { account } = await world.connect()
  expect(account.diesAt).not.toBeNull()
  world.passTo(account.nextRefreshAt)
  expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
  const fresh = await world.read(account.id)
  expect(fresh.diesAt).not.toBeNull()
  expect(await world.works(fresh)).toBe(true)
})

describe('the end of data access', () => {
  test('is kept from the login, and warned of a week before though the token lives on', async () => {
    const { account } = await world.connect()
    const lapsesAt = account.dataAccessExpiresAt!
    expect(lapsesAt - account.connectedAt).toBeGreaterThan(89 * DAY)
    let fresh = account
    for (let refreshes = 0; fresh.statusReason === null && refreshes < 3; refreshes++) {
      world.passTo(fresh.nextRefreshAt)
      expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
      fresh = await world.read(account.id)
    }
    expect(fresh).toMatchObject({ status: 'active', statusReason: 'DATA_ACCESS_ENDING' })
    const news = (await world.store.events.list({ accountId: account.id, limit: 10 })).filter(
      ({ type }) => type === 'account.reconnect_soon',
    )
    expect(news).toMatchObject([{ reason: 'DATA_ACCESS_ENDING' }])
    expect(lapsesAt - news[0]!.at).toBeGreaterThan(6 * DAY)
    expect((await logOf(account.id)).length).toBe(2)
    // At the end itself the provider is asked once more: the user may have come back.
    expect(fresh.nextRefreshAt).toBeLessThan(lapsesAt + HOUR)
    world.control.engage({ appId: account.providerAppId, userId: account.externalId })
    world.passTo(fresh.nextRefreshAt)
    expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
    expect((await world.read(account.id)).statusReason).toBeNull()
  })

  test('is looked up anew, so that who used the app meanwhile is not bothered', async () => {
    let { account } = await world.connect()
    for (let refreshes = 0; refreshes < 4; refreshes++) {
      world.passTo(account.nextRefreshAt)
      world.control.engage({ appId: account.providerAppId, userId: account.externalId })
      expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
      const before = account.dataAccessExpiresAt!
      account = await world.read(account.id)
      expect(account.dataAccessExpiresAt! - before).toBeGreaterThan(30 * DAY)
      expect(account.statusReason).toBeNull()
    }
  })
})

describe('what a user does at the provider', () => {
  test.each([
    [
      'removes the app',
      'META_ACCESS_REVOKED',
      (appId: string, userId: string) => world.control.removeApp({ appId, userId }),
    ],
    [
      'changes the password',
      'META_SESSION_ENDED',
      (_: string, userId: string) => world.control.changePassword({ userId }),
    ],
    ['logs out everywhere', 'META_TOKEN_INVALID', (_: string, userId: string) => world.control.logOut({ userId })],
    ['stays away for 90 days', 'META_INACTIVE', () => world.pass(52 * DAY)],
  ])('%s: one witness, the right reason, and no request after that', async (_what, reason, act) => {
    const { account } = await world.connect()
    world.passTo(account.nextRefreshAt - (reason === 'META_INACTIVE' ? 0 : DAY))
    if (reason === 'META_INACTIVE') await world.refreshIfDue(account.id)
    await act(account.providerAppId, account.externalId)
    const requests = countRequests()
    expect(await world.refresh(account.id)).toEqual({ kind: 'dead', code: reason })
    expect(requests()).toBe(2)
    expect(await world.read(account.id)).toMatchObject({
      status: 'needs_reconnect',
      statusReason: reason,
      attempt: null,
    })
    expect((await eventsOf(account.id)).at(-1)).toEqual(['account.needs_reconnect', reason])
    world.pass(30 * DAY)
    expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'skipped' })
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'skipped' })
    expect(requests()).toBe(2)
  })

  test.each([
    ['is sent to a checkpoint', 'META_CHECKPOINT', { checkpointed: true }, { checkpointed: false }],
    ['has not confirmed the account', 'META_UNCONFIRMED', { confirmed: false }, { confirmed: true }],
  ])('%s: probed once a day, and healed by the user alone', async (_what, reason, ill, well) => {
    const { account, user } = await world.connect()
    world.passTo(account.nextRefreshAt)
    world.control.setUser({ userId: user.id, ...ill })
    const requests = countRequests()
    expect(await world.refreshIfDue(account.id)).toEqual({ kind: 'needs_action', code: reason })
    expect(await world.read(account.id)).toMatchObject({ status: 'needs_action', statusReason: reason })
    for (let hour = 0; hour < 48; hour++) {
      world.pass(HOUR)
      await world.refreshIfDue(account.id)
    }
    expect(requests()).toBeLessThanOrEqual(3)
    world.control.setUser({ userId: user.id, ...well })
    world.pass(DAY)
    expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
    expect(await world.read(account.id)).toMatchObject({ status: 'active', statusReason: null, failure: null })
    expect((await eventsOf(account.id)).map(([type]) => type)).toEqual([
      'account.connected',
      'account.needs_action',
      'account.revived',
    ])
  })

  test('a new login revives the account under the same id', async () => {
    const { account, user } = await world.connect()
    await world.control.removeApp({ appId: account.providerAppId, userId: user.id })
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'dead' })
    const again = await world.engine.connectAccount(await world.logIn('meta', user), {
      ownerId: 'owner',
      actor: 'test',
    })
    expect(again).toMatchObject({ id: account.id, status: 'active', statusReason: null })
    expect(await world.works(again)).toBe(true)
  })
})

test('a limit of the user leaves the account alone for as long; unusual calls are an error in the log', async () => {
  const lines: string[] = []
  await using actor = world.newActor({ log: { write: (line) => lines.push(line) } })
  const { account } = await world.connect()
  world.passTo(account.nextRefreshAt)
  world.control.inject({ path: '/oauth/access_token', error: 'custom_limit_behaviour' })
  expect(await actor.engine.refreshAccount(account.id, { type: 'scheduled' })).toMatchObject({
    code: 'META_UNUSUAL_CALLS',
  })
  expect(lines.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50)).toMatchObject([
    { accountId: account.id, code: 'META_UNUSUAL_CALLS' },
  ])
  const { status, nextRefreshAt } = await world.read(account.id)
  expect(status).toBe('active')
  expect(nextRefreshAt - world.clock.now()).toBeGreaterThan(HOUR / 2)
  expect(await world.store.halts.list()).toEqual([])
})

describe('an unclear 190', () => {
  test('bothers nobody while debug_token finds the token alive', async () => {
    const { account } = await world.connect()
    world.passTo(account.nextRefreshAt)
    world.control.inject({ path: '/oauth/access_token', error: 'token_unreadable' })
    expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'failed' })
    expect(await world.read(account.id)).toMatchObject({ status: 'active' })
    world.pass(HOUR)
    expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
  })
})

describe.each(['instagram', 'threads'] as const)('%s, in the first 24 hours', (platform) => {
  test('no refresh is asked for, whoever wants one', async () => {
    const { account } = await world.connect(platform)
    const requests = countRequests()
    world.pass(23 * HOUR)
    expect(await world.refresh(account.id)).toEqual({ kind: 'snoozed', until: account.nextRefreshAt })
    expect((await world.read(account.id)).snoozedAt).not.toBeNull()
    expect(requests()).toBe(0)
    world.pass(HOUR + 6 * MINUTE)
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'snoozed' })
  })

  test('nor after an outcome that is unknown, since the provider may have carried it out', async () => {
    const { account } = await world.connect(platform)
    world.passTo(account.nextRefreshAt)
    world.control.inject({ host: platform, answer: { status: 502, headers: {}, body: '<html>' } })
    expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'ambiguous' })
    const requests = countRequests()
    for (let hour = 0; hour < 24; hour++) {
      world.pass(HOUR)
      expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'snoozed' })
    }
    expect(requests()).toBe(0)
    world.pass(HOUR)
    expect(await world.refreshIfDue(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
    expect(await world.works(await world.read(account.id))).toBe(true)
  })
})

describe('an account that this fleet cannot refresh', () => {
  test('of another app: nothing is sent, a person is told once, and it heals with the app', async () => {
    const { account } = await world.connect()
    const { meta } = world.scene.graph!
    await using other = createActor({
      ...world.scene,
      graph: { ...world.scene.graph!, meta: { ...meta, app: { id: '4711', secret: 'another' } } },
    })
    const requests = countRequests()
    world.passTo(account.nextRefreshAt)
    for (let days = 0; days < 3; days++) {
      expect(await other.engine.refreshAccount(account.id, { type: 'scheduled' })).toEqual({
        kind: 'needs_action',
        code: 'APP_CHANGED',
      })
      expect(await other.engine.fetchPages(account.id)).toMatchObject({ kind: 'put_off', code: 'APP_CHANGED' })
      world.pass(25 * HOUR)
    }
    expect(requests()).toBe(0)
    expect(await world.read(account.id)).toMatchObject({ status: 'needs_action', statusReason: 'APP_CHANGED' })
    expect((await eventsOf(account.id)).map(([type]) => type)).toEqual(['account.connected', 'account.needs_action'])
    expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
    expect(await world.read(account.id)).toMatchObject({ status: 'active', statusReason: null })
  })

  test('of a platform that is off: an unknown outcome is found stale once an hour, not at each look', async () => {
    const { account } = await world.connect('threads')
    world.passTo(account.nextRefreshAt)
    world.control.inject({ host: 'threads', answer: { status: 502, headers: {}, body: '' } })
    expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'ambiguous' })
    const { graph: _, ...withoutMeta } = world.scene
    await using off = createActor(withoutMeta)
    world.pass(DAY + HOUR)
    const stale = async () => (await world.store.accounts.stale({ now: world.clock.now(), limit: 10 })).length
    expect(await stale()).toBe(1)
    expect(await off.engine.refreshAccount(account.id, { type: 'scheduled' })).toEqual({
      kind: 'not_begun',
      code: 'PROVIDER_OFF',
    })
    expect(await stale()).toBe(0)
    const asPutOff = (await world.read(account.id)).attempt
    await off.engine.refreshAccount(account.id, { type: 'scheduled' })
    expect((await world.read(account.id)).attempt).toEqual(asPutOff)
    world.pass(HOUR)
    expect(await stale()).toBe(1)
    expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
  })
})

test('an end that cannot be learnt is no sooner than the one before, and is looked for again', async () => {
  const { account } = await world.connect()
  world.passTo(account.nextRefreshAt)
  world.control.configure({ refreshMode: 'omit_expires_in' })
  world.control.inject({ path: '/debug_token', error: 'transient', times: null })
  expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
  const unknown = await world.read(account.id)
  expect(unknown.diesAt).toBe(account.diesAt)
  expect((await logOf(account.id))[0]).toMatchObject({ extension: 'unknown' })
  expect(unknown.nextRefreshAt).toBeLessThan(account.diesAt! - DAY)
  world.control.clearInjections({})
  world.passTo(unknown.nextRefreshAt)
  expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
  expect((await world.read(account.id)).diesAt!).toBeGreaterThan(account.diesAt! + 30 * DAY)
})

describe("a system user's account", () => {
  const connectSystem = async (expiresIn: number | null) => {
    const { app } = world.options.meta
    const { id: userId } = world.control.createUser({ family: 'facebook', systemUser: true })
    world.control.grant({ appId: app.id, userId })
    const { accessToken } = world.control.issueToken({ appId: app.id, userId, expiresIn })
    const login = await connectSystemUser(world.options.meta, accessToken)
    return world.engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
  }

  test('is refreshed for 60 more days, again and again', async () => {
    let account = await connectSystem((60 * DAY) / SECOND)
    for (let generation = 2; generation <= 4; generation++) {
      world.passTo(account.nextRefreshAt)
      expect(await world.refreshIfDue(account.id)).toEqual({ kind: 'refreshed', generation })
      account = await world.read(account.id)
      expect(account).toMatchObject({ issuer: 'business', statusReason: null, dataAccessExpiresAt: null })
      expect(account.diesAt! - world.clock.now()).toBeGreaterThan(59 * DAY)
      expect(await world.works(account)).toBe(true)
    }
  })

  test('without an end is looked at about once a week, and keeps its token', async () => {
    const account = await connectSystem(null)
    world.passTo(account.nextRefreshAt)
    expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
    const fresh = await world.read(account.id)
    expect(fresh.diesAt).toBeNull()
    expect(world.open(fresh)).toEqual(world.open(account))
    expect(fresh.nextRefreshAt - world.clock.now()).toBeGreaterThan(4 * DAY)
  })
})

describe('removing an account', () => {
  test('takes the permissions back', async () => {
    const { account } = await world.connect()
    const token = world.open(account).accessToken
    await world.engine.removeAccount(account.id, 'test')
    expect(world.control.inspectToken({ token })).toMatchObject({ valid: false, error: { subcode: 458 } })
  })

  test('leaves them to another owner with the same login', async () => {
    const { account, user } = await world.connect()
    const other = await world.engine.connectAccount(await world.logIn('meta', user), {
      ownerId: 'other',
      actor: 'test',
    })
    await world.engine.removeAccount(account.id, 'test')
    expect(await world.works(await world.read(other.id))).toBe(true)
    const token = world.open(other).accessToken
    await world.engine.removeAccount(other.id, 'test')
    expect(world.control.inspectToken({ token }).valid).toBe(false)
  })
})
