import { DAY, DEFAULT_DUE_POLICY, HOUR, MINUTE, SECOND, tokenDigest } from '@tokenkeeper/core'
import { until } from '@tokenkeeper/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createExtendWorld, type ExtendWorld } from './support/extend-world.ts'
import type { Exchange } from './support/token-server.ts'

/** The kind `extend`: the old token goes on working (Meta, Instagram, Threads). */

let world: ExtendWorld
beforeEach(async () => {
  world = await createExtendWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

describe('a refresh', () => {
  test('stores the new token, logs it once and leaves the old one alone', async () => {
    const account = await world.connect()
    world.pass(50 * DAY)
    const before = world.token(account)
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
    const fresh = await world.read(account.id)
    expect(world.token(fresh)).not.toBe(before)
    expect(world.server.works(world.token(fresh))).toBe(true)
    expect(world.server.works(before)).toBe(true)
    expect(fresh).toMatchObject({
      status: 'active',
      attempt: null,
      failure: null,
      outbox: [],
      diesAt: world.clock.now() + 60 * DAY,
    })
    expect(fresh.previousCredential).toBe(account.sealedCredential)
    expect(await world.store.log.list({ accountId: account.id, limit: 10 })).toMatchObject([
      { outcome: 'refreshed', tokenDigest: tokenDigest(before), newExpiresAt: fresh.diesAt },
    ])
  })

  test('falls due a week before the end, spread by up to two days', async () => {
    const account = await world.connect()
    await world.refresh(account.id)
    const { diesAt, nextRefreshAt } = await world.read(account.id)
    const latest = diesAt! - DEFAULT_DUE_POLICY.thresholdMs
    expect(nextRefreshAt).toBeLessThanOrEqual(latest)
    expect(nextRefreshAt).toBeGreaterThan(latest - DEFAULT_DUE_POLICY.spreadMs)
    expect(await world.refreshIfDue(account.id)).toEqual({ kind: 'skipped', reason: 'not_due' })
    world.passTo(nextRefreshAt)
    expect(await world.refreshIfDue(account.id)).toEqual({ kind: 'refreshed', generation: 3 })
  })
})

describe('the same expiry again', () => {
  test.each([
    ['60 days', 60 * DAY],
    ['3 days', 3 * DAY],
    ['half an hour', HOUR / 2],
  ])('is accepted with %s left, and not asked for again within the hour', async (_what, livesMs) => {
    const account = await world.connect(livesMs)
    world.pass(10 * SECOND)
    world.server.next('same_expiry')
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
    const fresh = await world.read(account.id)
    expect(fresh.diesAt).toBe(account.diesAt)
    expect(world.token(fresh)).not.toBe(world.token(account))
    expect(fresh.nextRefreshAt).toBeGreaterThanOrEqual(world.clock.now() + HOUR)
    expect(await world.refreshIfDue(account.id)).toEqual({ kind: 'skipped', reason: 'not_due' })
    expect(world.server.presented).toHaveLength(1)
  })

  test('however often it comes, asks a few times and never in a loop', async () => {
    const account = await world.connect()
    let { nextRefreshAt } = account
    for (; nextRefreshAt < account.diesAt!; { nextRefreshAt } = await world.read(account.id)) {
      world.passTo(nextRefreshAt)
      world.pass((account.diesAt! - world.clock.now()) % SECOND)
      world.server.next('same_expiry')
      expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'refreshed' })
    }
    expect(world.server.presented.length).toBeGreaterThan(2)
    expect(world.server.presented.length).toBeLessThan(15)
  })

  test('is accepted although a lifetime in whole seconds makes it a moment earlier', async () => {
    const account = await world.connect()
    world.pass(10 * SECOND + 250)
    world.server.next('same_expiry')
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
    expect((await world.read(account.id)).diesAt).toBe(account.diesAt! - 750)
    expect(world.server.inspected).toEqual([])
  })
})

describe('a token that ends sooner', () => {
  test.each(['valid', 'error'] as const)('does not replace the stored one (debug: %s)', async (debug) => {
    const account = await world.connect()
    world.server.next('shorter')
    world.server.debug(debug)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'failed', code: 'PROVIDER_SHORTER_TOKEN' })
    const { sealedCredential, generation, diesAt, attempt, status, nextRefreshAt } = await world.read(account.id)
    expect({ sealedCredential, generation, diesAt }).toEqual({
      sealedCredential: account.sealedCredential,
      generation: 1,
      diesAt: account.diesAt,
    })
    expect({ status, attempt }).toEqual({ status: 'active', attempt: null })
    expect(nextRefreshAt).toBeGreaterThan(world.clock.now() + 30 * SECOND)
    expect(await world.outcomes(account.id)).toEqual(['failed'])
  })

  test('replaces one that is proved dead', async () => {
    const account = await world.connect()
    world.server.next('shorter')
    world.server.debug('invalid')
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
    const fresh = await world.read(account.id)
    expect(fresh.diesAt).toBe(account.diesAt! - DAY)
    expect(world.server.works(world.token(fresh))).toBe(true)
  })

  test('does not replace the stored one either when it comes late', async () => {
    const account = await world.connect()
    world.server.next('hold_shorter')
    const outcome = await world.refreshInVain(account.id)
    if (outcome.kind !== 'ambiguous') throw new Error(outcome.kind)
    world.server.release()
    const committed = () => world.writes(account.id, 'commit').length > 0
    await until(() => committed() || world.server.inspected.length > 0, { what: 'the late answer to be weighed' })
    world.passTo(outcome.until)
    await world.refresh(account.id)
    expect(world.server.presented).toEqual([world.token(account), world.token(account)])
  })
})

describe('an outcome that is unknown', () => {
  test.each<readonly [Exchange, string]>([
    ['error', 'PROVIDER_UNAVAILABLE'],
    ['drop_answer', 'PROVIDER_UNAVAILABLE'],
    ['hold', 'PROVIDER_TIMEOUT'],
  ])('(%s) is released, and the same token presented again', async (exchange, code) => {
    const account = await world.connect()
    world.server.next(exchange)
    const outcome = await (exchange === 'hold' ? world.refreshInVain(account.id) : world.refresh(account.id))
    expect(outcome).toMatchObject({ kind: 'ambiguous', code })
    const { attempt, status, nextRefreshAt, generation, failure } = await world.read(account.id)
    expect({ state: attempt?.state, status, generation }).toEqual({
      state: 'released',
      status: 'active',
      generation: 1,
    })
    expect(attempt?.unknownSince).toBe(world.clock.now())
    expect(attempt?.notBefore).toBe(nextRefreshAt)
    expect(failure).toMatchObject({ class: 'transient', code, count: 1 })
    expect(outcome).toMatchObject({ until: nextRefreshAt })

    expect(await world.refresh(account.id)).toEqual({ kind: 'snoozed', until: nextRefreshAt })
    world.passTo(nextRefreshAt)
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
    const token = world.token(account)
    expect(world.server.presented).toEqual([token, token])
    expect(await world.read(account.id)).toMatchObject({ attempt: null, failure: null, outbox: [] })
    expect(await world.outcomes(account.id)).toEqual(['ambiguous', 'refreshed'])
  })

  test('comes back ever more slowly while it lasts, within minutes, and kills nothing', async () => {
    const account = await world.connect()
    const waits: number[] = []
    for (let round = 0; round < 14; round++) {
      world.server.next('error')
      const outcome = await world.refresh(account.id)
      if (outcome.kind !== 'ambiguous') throw new Error(outcome.kind)
      waits.push(outcome.until - world.clock.now())
      world.passTo(outcome.until)
    }
    expect(waits[0]).toBeLessThanOrEqual(SECOND)
    expect(Math.max(...waits)).toBeLessThanOrEqual(5 * MINUTE)
    expect(waits.at(-1)).toBeGreaterThan(3 * MINUTE)
    expect((await world.read(account.id)).status).toBe('active')
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
  })
})

describe('a dead code', () => {
  test('that the provider confirms ends the account at once', async () => {
    const account = await world.connect()
    world.server.revoke(world.token(account))
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'dead' })
    const dead = await world.read(account.id)
    expect(dead).toMatchObject({ status: 'needs_reconnect', attempt: null, generation: 1, outbox: [] })
    expect(dead.statusReason).toBe('PROVIDER_REJECTED_REQUEST')
    expect(dead.sealedCredential).toBe(account.sealedCredential)
    expect(await world.outcomes(account.id)).toEqual(['dead'])
    const events = await world.store.events.list({ accountId: account.id, limit: 10 })
    expect(events.map(({ type }) => type).toSorted()).toEqual(['account.connected', 'account.needs_reconnect'])
    expect(await world.refresh(account.id)).toEqual({ kind: 'skipped', reason: 'not_active' })
  })

  test.each(['valid', 'error'] as const)('is a failure where it is not confirmed (debug: %s)', async (debug) => {
    const account = await world.connect()
    world.server.next('dead')
    world.server.debug(debug)
    const outcome = await world.refresh(account.id)
    expect(outcome).toMatchObject({ kind: 'failed' })
    const { status, attempt, failure, nextRefreshAt } = await world.read(account.id)
    expect({ status, attempt, class: failure?.class }).toEqual({ status: 'active', attempt: null, class: 'transient' })
    expect(outcome).toMatchObject({ until: nextRefreshAt })
    world.passTo(nextRefreshAt)
    expect(await world.refreshIfDue(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
  })

  test('after an unknown outcome is held for a day, then believed', async () => {
    const account = await world.connect()
    world.server.next('error')
    await world.refresh(account.id)
    world.server.revoke(world.token(account))
    const { attempt } = await world.read(account.id)
    const unknownSince = attempt!.unknownSince!
    world.passTo(attempt!.notBefore)

    const held = await world.refresh(account.id)
    expect(held).toMatchObject({ kind: 'held', until: unknownSince + DAY })
    expect(await world.read(account.id)).toMatchObject({
      status: 'active',
      attempt: { state: 'held', unknownSince, notBefore: unknownSince + DAY },
      nextRefreshAt: unknownSince + DAY,
    })
    world.passTo(unknownSince + DAY - 1)
    expect(await world.refresh(account.id)).toEqual({ kind: 'snoozed', until: unknownSince + DAY })
    expect(world.server.presented).toHaveLength(2)
    world.pass(1)
    expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'dead' })
    expect((await world.read(account.id)).status).toBe('needs_reconnect')
    expect(await world.outcomes(account.id)).toEqual(['ambiguous', 'dead', 'held'])
  })

  test('that was a mistake is forgotten when the hold ends', async () => {
    const account = await world.connect()
    world.server.next('error', 'dead')
    world.server.debug('invalid')
    await world.refresh(account.id)
    world.pass(2 * SECOND)
    const held = await world.refresh(account.id)
    if (held.kind !== 'held') throw new Error(held.kind)
    world.passTo(held.until)
    expect(await world.refreshIfDue(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
  })
})

describe('an answer after the time-out', () => {
  test('is committed although its attempt was released', async () => {
    const account = await world.connect()
    world.server.next('hold')
    expect(await world.refreshInVain(account.id)).toMatchObject({ kind: 'ambiguous', code: 'PROVIDER_TIMEOUT' })
    world.server.release()
    const fresh = await until(
      async () => {
        const read = await world.read(account.id)
        return read.generation === 2 && read.outbox.length === 0 ? read : null
      },
      { what: 'the late answer to be committed' },
    )
    expect(fresh).toMatchObject({ status: 'active', attempt: null, failure: null })
    expect(world.server.works(world.token(fresh))).toBe(true)
    expect(await world.outcomes(account.id)).toEqual(['refreshed']) // the same attempt's entry, now its real end
  })

  test('is dropped if somebody refreshed meanwhile', async () => {
    const account = await world.connect()
    world.server.next('hold')
    const outcome = await world.refreshInVain(account.id)
    if (outcome.kind !== 'ambiguous') throw new Error(outcome.kind)
    world.passTo(outcome.until)
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
    const newest = await world.read(account.id)
    world.server.release()
    await until(() => world.writes(account.id, 'commit').length === 2, { what: 'the late answer to be refused' })
    expect(world.writes(account.id, 'commit').map(({ done }) => done)).toEqual([true, false])
    expect(await world.read(account.id)).toStrictEqual(newest)
    expect(await world.outcomes(account.id)).toEqual(['ambiguous', 'refreshed'])
  })

  test('gets in behind the one that was faster, if it ends later', async () => {
    const account = await world.connect(2 * DAY)
    world.server.next('hold', 'same_expiry')
    const outcome = await world.refreshInVain(account.id)
    if (outcome.kind !== 'ambiguous') throw new Error(outcome.kind)
    world.passTo(outcome.until)
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
    const short = await world.read(account.id)
    expect(short.diesAt).toBeLessThanOrEqual(account.diesAt!)
    world.server.release()
    const fresh = await until(
      async () => {
        const read = await world.read(account.id)
        return read.generation === 3 && read.outbox.length === 0 ? read : null
      },
      { what: 'the late answer to be committed' },
    )
    expect(fresh.diesAt).toBeGreaterThan(short.diesAt! + 30 * DAY)
    expect(world.server.works(world.token(fresh))).toBe(true)
    expect(await world.outcomes(account.id)).toEqual(['refreshed', 'refreshed'])
  })
})
