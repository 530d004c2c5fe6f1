import { HOUR, MINUTE, SECOND } from '@tokenkeeper/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHaltWorld, type HaltWorld } from './support/halt-world.ts'

let world: HaltWorld
beforeEach(async () => {
  world = await createHaltWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const EXCHANGE = '/oauth/access_token fb_exchange_token'

interface User {
  readonly id: string
  readonly userId: string
}

describe('a refusal that may be the fault of one account', () => {
  const refuse = (...userIds: string[]) => {
    for (const userId of userIds)
      world.control.inject({ host: 'facebook', userId, error: 'proof_invalid', times: null })
  }
  async function connectUsers(count: number) {
    const connected = []
    for (let i = 0; i < count; i++) connected.push(await world.connect('meta'))
    return connected.map(({ account, user }) => ({ id: account.id, userId: user.id }))
  }

  test('met by three accounts within 15 minutes halts the platform', async () => {
    const [one, two, three, four] = (await connectUsers(4)) as [User, User, User, User]
    refuse(one.userId, two.userId, three.userId)
    expect(await world.refresh(one.id)).toMatchObject({ kind: 'failed', code: 'META_PROOF_REFUSED' })
    expect(await world.haltOf('meta')).toMatchObject({ state: 'suspected', suspects: [one.id] })
    expect(await world.refresh(four.id)).toMatchObject({ kind: 'refreshed' })
    world.pass(5 * MINUTE)
    await world.refresh(two.id)
    await world.refresh(one.id)
    expect(await world.haltOf('meta')).toMatchObject({ state: 'suspected', suspects: [one.id, two.id] })
    world.pass(5 * MINUTE)
    await world.refresh(three.id)
    expect(await world.haltOf('meta')).toMatchObject({ state: 'halted', suspects: [one.id, two.id, three.id] })
    expect(world.errors()).toMatchObject([{ code: 'META_PROOF_REFUSED' }])
    const asked = world.watchRequests()
    // Its Pages are not listed.
    expect(await world.refresh(four.id)).toMatchObject({ kind: 'refreshed' })
    expect(asked()).toEqual([EXCHANGE, '/debug_token'])
    world.control.clearInjections({})
    world.pass(15 * MINUTE + 10 * SECOND)
    for (const { id } of [one, two, three]) expect(await world.refreshIfDue(id)).toMatchObject({ kind: 'refreshed' })
    await world.expectAllActive([one.id, two.id, three.id], 2)
    expect(await world.store.halts.list()).toEqual([])
  })

  test('met by all is found out by the accounts themselves, as they come back, however slowly they fall due', async () => {
    const users = await connectUsers(3)
    refuse(...users.map(({ userId }) => userId))
    for (let minute = 0; (await world.haltOf('meta'))?.state !== 'halted'; minute++) {
      expect(minute).toBeLessThan(40)
      // The second falls due 12 minutes after the first, the third as long after the second.
      for (const [i, { id }] of users.entries()) {
        if (minute === 12 * i) await world.refresh(id)
        else if (minute > 12 * i) await world.refreshIfDue(id)
      }
      world.pass(MINUTE)
    }
    await world.expectAllActive([users[1]!.id, users[2]!.id], 1)
  })

  test('met by one alone, three times in a row, parks that one', async () => {
    const [one, other] = (await connectUsers(2)) as [User, User]
    const { userId } = one
    // An outage between begins the count anew.
    for (const error of ['proof_invalid', 'service'] as const) world.control.inject({ host: 'facebook', userId, error })
    refuse(userId)
    const outcomes = [(await world.refresh(one.id)).kind]
    for (let tries = 0; tries < 4; tries++) {
      world.passTo((await world.read(one.id)).nextRefreshAt)
      outcomes.push((await world.refreshIfDue(one.id)).kind)
    }
    expect(outcomes).toEqual(['failed', 'failed', 'failed', 'failed', 'needs_action'])
    const parked = await world.read(one.id)
    expect(parked).toMatchObject({ status: 'needs_action', statusReason: 'META_PROOF_REFUSED', generation: 1 })
    expect(parked.nextRefreshAt - world.clock.now()).toBeGreaterThan(23 * HOUR)
    expect(await world.refresh(other.id)).toMatchObject({ kind: 'refreshed' })
    expect((await world.haltOf('meta'))?.state).toBe('suspected')
    world.pass(HOUR)
    await world.engine.probeHalts()
    expect(await world.store.halts.list()).toEqual([])
    world.control.clearInjections({})
    expect(await world.refresh(one.id)).toMatchObject({ kind: 'refreshed' })
    await world.expectAllActive([one.id, other.id], 2)
  })

  test('is in a row with the former ones although Pages were fetched between', async () => {
    const { account, user } = await world.connect('meta', 25)
    world.control.inject({ host: 'facebook', path: /oauth/, userId: user.id, error: 'proof_invalid', times: null })
    for (let tries = 0; tries < 3; tries++) {
      await world.refresh(account.id)
      const change = { set: { pagesDueAt: world.clock.now() } }
      await world.store.accounts.write({ name: 'x', accountId: account.id, when: {}, change })
      expect(await world.engine.fetchPages(account.id)).toMatchObject({ kind: 'fetched' })
      world.pass(11 * MINUTE)
    }
    expect(await world.read(account.id)).toMatchObject({ status: 'needs_action', statusReason: 'META_PROOF_REFUSED' })
  })

  test('an old suspicion counts for nothing', async () => {
    const users = await connectUsers(3)
    refuse(...users.map(({ userId }) => userId))
    for (const { id } of users) {
      await world.refresh(id)
      expect(await world.haltOf('meta')).toMatchObject({ state: 'suspected', suspects: [id] })
      world.pass(16 * MINUTE)
    }
  })
})

describe('while our proofs are refused', () => {
  const refuseListings = () => world.control.inject({ path: /accounts/, error: 'proof_invalid', times: null })

  test('refreshes, which carry none, go on; only a listing that is accepted ends it', async () => {
    const ids = await world.connectMany('meta', 4)
    const [one, two, three, four] = ids as [string, string, string, string]
    refuseListings()
    for (const id of [one, two, three]) expect(await world.engine.fetchPages(id)).toMatchObject({ kind: 'failed' })
    const halt = await world.haltOf('meta')
    expect(halt).toMatchObject({ state: 'halted', code: 'META_PROOF_REFUSED' })
    const asked = world.watchRequests()
    for (let round = 1; round <= 4; round++) {
      world.pass(16 * MINUTE)
      expect(await world.engine.probeHalts()).toBe(0)
      expect(asked()).toEqual([])
      // Each would go on with its Pages.
      for (const id of ids) expect(await world.refresh(id)).toMatchObject({ kind: 'refreshed' })
      const requests = asked()
      expect(requests.filter((request) => request === EXCHANGE)).toHaveLength(ids.length)
      expect(requests.filter((request) => request.includes('accounts'))).toHaveLength(1)
      expect(await world.haltOf('meta')).toMatchObject({ since: halt!.since })
    }
    expect(world.errors()).toMatchObject([{ code: 'META_PROOF_REFUSED' }])
    world.control.clearInjections({})
    world.pass(16 * MINUTE)
    expect(await world.engine.fetchPages(four)).toMatchObject({ kind: 'fetched' })
    expect(await world.store.halts.list()).toEqual([])
    await world.expectAllActive(ids, 5)
  })

  test('a limit of the app stops refreshes too', async () => {
    const [one, two] = (await world.connectMany('meta', 2)) as [string, string]
    await world.store.halts.insert(world.halted('meta', { code: 'META_PROOF_REFUSED' }))
    world.control.inject({ host: 'facebook', error: 'app_limit' })
    expect(await world.refresh(one)).toMatchObject({ kind: 'failed', code: 'PROVIDER_RATE_LIMITED' })
    expect(await world.haltOf('meta')).toMatchObject({ code: 'PROVIDER_RATE_LIMITED' })
    expect(await world.refresh(two)).toMatchObject({ kind: 'snoozed' })
  })
})

describe('an answer that no row knows', () => {
  const unknown = { status: 400, body: { error: { message: 'Something new', type: 'OAuthException', code: 4711 } } }

  test('five times in a row is for a person to look at; an outage between begins the count anew', async () => {
    const [id] = await world.connectMany('meta', 1)
    const outcomes: string[] = []
    for (let tries = 0; tries < 8; tries++) {
      if (tries === 2) world.control.inject({ host: 'facebook', error: 'service' })
      else world.control.inject({ host: 'facebook', answer: unknown })
      outcomes.push((await world.refresh(id!)).kind)
      world.pass(HOUR)
    }
    expect(outcomes).toEqual([...Array(7).fill('failed'), 'needs_action'])
    expect(await world.read(id!)).toMatchObject({ status: 'needs_action', statusReason: 'PROVIDER_UNKNOWN_ERROR' })
    expect(await world.refresh(id!)).toMatchObject({ kind: 'refreshed' })
    await world.expectAllActive([id!], 2)
  })
})
