import { DAY, HOUR, MINUTE, SECOND } from '@tokenkeeper/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { RefreshOutcome } from '../src/index.ts'
import { kill } from './support/deaths.ts'
import { gateAt } from './support/gate.ts'
import { expectHealthy, expectLogged } from './support/invariants.ts'
import { passTo, recover } from './support/recover.ts'
import { newKey } from './support/storage.ts'
import { createWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterEach(() => world.proxy.clear())
afterAll(() => world[Symbol.asyncDispose]())

/** Refreshes, and passes to the time that each outcome names, until one names none. */
async function refreshUntilDone(accountId: string): Promise<string[]> {
  const kinds: string[] = []
  for (let round = 0; round < 5; round++) {
    const outcome = await world.refresh(accountId)
    kinds.push(outcome.kind)
    if (!('until' in outcome)) break
    passTo(world, outcome.until)
  }
  return kinds
}

const events = async (accountId: string) =>
  (await world.store.events.list({ accountId, limit: 20 })).map((event) => `${event.type} ${event.reason ?? ''}`.trim())

describe('a session that is over', () => {
  test('is called dead at the second witness, minutes after the first, and no request follows', async () => {
    const { account, user } = await world.connect()
    await world.pds.changePassword(user)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'failed', code: 'BLUESKY_SESSION_EXPIRED' })
    expect(await world.read(account.id)).toMatchObject({ status: 'active', failure: { class: 'dead_suspected' } })
    world.clockFile.advance(2 * MINUTE)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'failed' }) // asked for too early by a person
    world.clockFile.advance(3 * MINUTE + SECOND)
    expect(await world.refresh(account.id)).toEqual({ kind: 'dead', code: 'BLUESKY_SESSION_EXPIRED' })
    expect(await world.read(account.id)).toMatchObject({
      status: 'needs_reconnect',
      statusReason: 'BLUESKY_SESSION_EXPIRED',
    })
    expect(await events(account.id)).toContain('account.needs_reconnect BLUESKY_SESSION_EXPIRED')
    const before = world.presentations().length
    expect(await world.refresh(account.id)).toEqual({ kind: 'skipped', reason: 'not_active' })
    expect(world.presentations().length).toBe(before)
    await expectLogged(world, account.id)
  })

  test('is not called dead when another answer came between the two witnesses', async () => {
    const { account, user } = await world.connect()
    await world.pds.changePassword(user)
    await world.refresh(account.id)
    world.clockFile.advance(6 * MINUTE)
    world.proxy.fault({ kind: 'rate_limited', times: 1, retryAfterS: 1 })
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'failed', code: 'PROVIDER_RATE_LIMITED' })
    world.clockFile.advance(6 * MINUTE)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'failed', code: 'BLUESKY_SESSION_EXPIRED' })
    expect((await world.read(account.id)).status).toBe('active')
  })

  test('heals by the app password that the user left, once a day', async () => {
    const { account, user } = await world.connect({ appPassword: 'set below' })
    const appPassword = await world.pds.createAppPassword(user)
    await world.engine.connectAccount(await world.newLogin(user), { ownerId: 'owner', actor: 'test', appPassword })
    await world.pds.changePassword(user)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
    await expectHealthy(world, account.id)
    await world.pds.changePassword(user)
    const logins = world.proxy.requestsTo('com.atproto.server.createSession').length
    expect(await refreshUntilDone(account.id)).toEqual(['failed', 'dead'])
    expect(world.proxy.requestsTo('com.atproto.server.createSession').length).toBe(logins)
  })

  test('is not called dead while a login with the app password gets no definite answer', async () => {
    const { account, user } = await world.connect()
    const appPassword = await world.pds.createAppPassword(user)
    await world.engine.connectAccount(await world.newLogin(user), { ownerId: 'owner', actor: 'test', appPassword })
    await world.pds.changePassword(user)
    const isLogin = (request: { path: string }) => request.path.endsWith('createSession')
    for (const fault of [
      { kind: 'status' as const, status: 503 },
      { kind: 'rate_limited' as const, retryAfterS: 60 },
    ]) {
      world.proxy.fault({ ...fault, times: 1, match: isLogin })
      const outcome = await world.refresh(account.id)
      expect(outcome.kind).toBe('failed')
      expect(await world.read(account.id)).toMatchObject({ status: 'active', appPasswordTriedAt: null })
      if ('until' in outcome) passTo(world, outcome.until)
    }
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
    await expectHealthy(world, account.id)
  })

  test('is judged by the failure that stands, not by one that another attempt has cleared', async () => {
    const { account, user } = await world.connect()
    await world.pds.changePassword(user)
    await world.refresh(account.id)
    world.clockFile.advance(6 * MINUTE)
    const gate = gateAt('begin.before-write')
    await using slow = world.newActor({ hook: gate.hook })
    const late = slow.engine.refreshAccount(account.id, { type: 'scheduled', force: true })
    await gate.reached
    world.proxy.fault({ kind: 'rate_limited', times: 1, retryAfterS: 1 })
    expect(await world.refresh(account.id)).toMatchObject({ code: 'PROVIDER_RATE_LIMITED' })
    gate.open()
    expect(await late).toMatchObject({ kind: 'failed', code: 'BLUESKY_SESSION_EXPIRED' })
    expect((await world.read(account.id)).status).toBe('active')
  })

  test.each(['dead.before-reread', 'dead.after-reread-before-verdict'])(
    'killed at %s it is judged all the same',
    async (point) => {
      const { account, user } = await world.connect()
      await world.pds.changePassword(user)
      await kill(world, point, { action: 'refresh', accountIds: [account.id] })
      world.clockFile.advance(13 * SECOND)
      // A death on the way leaves an outcome unknown, so what two witnesses say is held for a day.
      expect(await refreshUntilDone(account.id)).toEqual(['failed', 'held', 'dead'])
      await expectLogged(world, account.id)
    },
  )

  describe('while an answer that was lost can still be had again', () => {
    /** Its successor was made, and nobody heard of it. */
    async function loseAnswer(): Promise<string> {
      const { account } = await world.connect()
      world.proxy.fault({ kind: 'drop_answer', times: 1 })
      await passOn(account.id, 'ambiguous')
      return account.id
    }

    /** Refreshes to this outcome, and passes to the time that it names. */
    async function passOn(accountId: string, kind: RefreshOutcome['kind']): Promise<void> {
      const outcome = await world.refresh(accountId)
      expect(outcome.kind).toBe(kind)
      const { attempt } = await world.read(accountId)
      expect(attempt?.state).toBe('released')
      passTo(world, attempt!.notBefore)
    }

    test.each([
      [400, 'ExpiredToken', 'failed'],
      [401, 'AccountTakedown', 'needs_action'],
    ] as const)('one %i %s does not keep it from being asked again', async (status, error, kind) => {
      const accountId = await loseAnswer()
      world.proxy.fault({ kind: 'status', status, body: JSON.stringify({ error, message: 'Not now' }), times: 1 })
      const before = world.clock.now()
      await passOn(accountId, kind)
      expect(world.clock.now() - before).toBeLessThan(10 * MINUTE)
      expect(await world.refresh(accountId)).toEqual({ kind: 'refreshed', generation: 2 })
      await expectHealthy(world, accountId)
    })
  })

  test('while it is paused, it falls due as soon as it is resumed', async () => {
    const { account, user } = await world.connect()
    const gate = gateAt('dead.after-reread-before-verdict')
    await world.pds.changePassword(user)
    await world.refresh(account.id)
    world.clockFile.advance(6 * MINUTE)
    await using judge = world.newActor({ hook: gate.hook })
    const judging = judge.engine.refreshAccount(account.id, { type: 'scheduled', force: true })
    await gate.reached
    await world.engine.pauseAccount(account.id, 'test')
    gate.open()
    expect(await judging).toMatchObject({ kind: 'dead' })
    expect(await world.engine.resumeAccount(account.id, 'test')).toMatchObject({ status: 'active' })
    expect(await world.engine.refreshAccount(account.id, { type: 'scheduled' })).toMatchObject({
      code: 'BLUESKY_SESSION_EXPIRED',
    })
  })

  test('killed at hold.applied it stays held, and a reconnect ends that', async () => {
    const { account, user } = await world.connect()
    await kill(world, 'reply.received', { action: 'refresh', accountIds: [account.id] })
    world.clockFile.advance(121 * MINUTE)
    await kill(world, 'hold.applied', { action: 'refresh', accountIds: [account.id] })
    expect(await world.read(account.id)).toMatchObject({ status: 'active', attempt: { state: 'held' } })
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'snoozed' })
    await recover(world, account.id)
    await expectLogged(world, account.id)
    await world.engine.connectAccount(await world.newLogin(user), { ownerId: 'owner', actor: 'test' })
    await expectHealthy(world, account.id)
  })

  test('is not called dead while the identity cannot be looked up', async () => {
    const { account, user } = await world.connect()
    await world.pds.changePassword(user)
    await using blind = world.newActor({
      provider: (real) => ({ ...real, locate: async () => ({ kind: 'unknown' as const }) }),
    })
    for (let round = 0; round < 3; round++) {
      const outcome = await blind.engine.refreshAccount(account.id, { type: 'scheduled', force: true })
      expect(outcome).toMatchObject({ kind: 'failed', code: 'IDENTITY_UNRESOLVED' })
      world.clockFile.advance(10 * MINUTE)
    }
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'dead' })
  })

  test('an account deleted at its host needs two witnesses too', async () => {
    const { account } = await world.connect()
    await world.pds.deleteAccount(account.externalId)
    expect(await refreshUntilDone(account.id)).toEqual(['failed', 'dead'])
    expect((await world.read(account.id)).statusReason).toBe('BLUESKY_ACCOUNT_GONE')
  })
})

describe('an account that the user can heal', () => {
  test('is probed once a day while it is taken down', async () => {
    const { account } = await world.connect()
    await world.pds.admin.takedown(account.externalId)
    expect(await world.refresh(account.id)).toEqual({ kind: 'needs_action', code: 'BLUESKY_TAKEN_DOWN' })
    const parked = await world.read(account.id)
    expect(parked).toMatchObject({ status: 'needs_action', statusReason: 'BLUESKY_TAKEN_DOWN', attempt: null })
    expect(parked.nextRefreshAt - world.clock.now()).toBeGreaterThan(DAY - MINUTE)
    passTo(world, parked.nextRefreshAt)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'needs_action' })
    expect((await events(account.id)).filter((event) => event.startsWith('account.needs_action')).length).toBe(1)
    await expectLogged(world, account.id)
  })

  test('is kept alive and flagged while it is deactivated', async () => {
    const { account, user } = await world.connect()
    await world.pds.deactivate(user)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
    expect(await world.read(account.id)).toMatchObject({
      status: 'active',
      statusReason: 'BLUESKY_DEACTIVATED',
      failure: null,
    })
    await world.pds.moveDid(user.did, world.pds.url) // a PDS activates only accounts that are at home with it
    await world.pds.activate(user)
    await world.pds.moveDid(user.did, world.proxy.url)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
    expect((await world.read(account.id)).statusReason).toBeNull()
  })

  test('needs a reconnect once the identity has said twice that it moved; the answers are committed', async () => {
    const { account, user } = await world.connect()
    await world.pds.deactivate(user)
    await world.pds.moveDid(user.did, 'https://new-home.test')
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
    const suspected = await world.read(account.id)
    expect(suspected).toMatchObject({ status: 'active', failure: { class: 'dead_suspected', code: 'BLUESKY_MOVED' } })
    passTo(world, suspected.nextRefreshAt)
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 3 })
    expect(await world.read(account.id)).toMatchObject({
      status: 'needs_reconnect',
      statusReason: 'BLUESKY_MOVED https://new-home.test',
      generation: 3,
    })
  })

  test('a host that forgot an account that moved names the new home', async () => {
    const { account } = await world.connect()
    await world.pds.moveDid(account.externalId, 'https://new-home.test')
    await world.pds.deleteAccount(account.externalId)
    expect(await refreshUntilDone(account.id)).toEqual(['failed', 'dead'])
    expect((await world.read(account.id)).statusReason).toBe('BLUESKY_MOVED https://new-home.test')
  })
})

describe('what cannot be opened', () => {
  test('is quarantined while its key is missing, and comes back with the key', async () => {
    const { account } = await world.connect()
    await using keyless = world.newActor({ keys: newKey('other') })
    const before = world.presentations().length
    const refused = await keyless.engine.refreshAccount(account.id, { type: 'scheduled', force: true })
    expect(refused).toEqual({ kind: 'quarantined', code: 'KEY_MISSING' })
    expect(world.presentations().length).toBe(before)
    const quarantined = await world.read(account.id)
    expect(quarantined).toMatchObject({ status: 'quarantined', statusReason: 'KEY_MISSING', generation: 1 })
    expect(quarantined.nextRefreshAt - world.clock.now()).toBeLessThanOrEqual(HOUR)
    passTo(world, quarantined.nextRefreshAt)
    expect(await world.engine.refreshAccount(account.id, { type: 'scheduled' })).toMatchObject({ kind: 'refreshed' })
    await expectHealthy(world, account.id)
    expect(await events(account.id)).toEqual(
      expect.arrayContaining(['account.quarantined KEY_MISSING', 'account.unquarantined']),
    )
  })

  test('a value moved from another account does not open', async () => {
    const [mine, other] = await Promise.all([world.connect(), world.connect()])
    await world.store.accounts.write({
      name: 'tamper',
      accountId: mine.account.id,
      when: {},
      change: { set: { sealedCredential: other.account.sealedCredential } },
    })
    expect(await world.refresh(mine.account.id)).toEqual({ kind: 'quarantined', code: 'SEALED_VALUE_CORRUPT' })
    await expectHealthy(world, other.account.id)
  })
})

describe('a hostile host', () => {
  test.each([
    ['an endless body', { kind: 'endless' as const }],
    ['a redirect', { kind: 'redirect' as const, to: 'http://127.0.0.1:9/' }],
    ['half an answer', { kind: 'truncate' as const }],
    ['a page of a firewall', { kind: 'html_401' as const }],
    [
      'an answer for another account',
      {
        kind: 'rewrite' as const,
        rewrite: (answer: { status: number; headers: object; body: Buffer | string }) => ({
          status: answer.status,
          headers: { 'content-type': 'application/json' },
          body: String(answer.body).replace(/did:plc:[a-z2-7]{24}/g, 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'),
        }),
      },
    ],
  ])('gains nothing by %s', async (_what, fault) => {
    const { account } = await world.connect()
    world.proxy.fault({ ...fault, times: 1 })
    const outcome = await world.refresh(account.id)
    expect(outcome.kind).toBe('ambiguous')
    expect((await world.read(account.id)).generation).toBe(1)
    if ('until' in outcome) passTo(world, outcome.until)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
    await expectHealthy(world, account.id)
  })
})
