import { type Account, GRACE_MS, HOUR, MINUTE, SECOND, systemClock } from '@tokenkeeper/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createHostPacing, DEFAULT_TIMES, type Pacing } from '../src/index.ts'
import type { Actor } from './support/actor.ts'
import { kill } from './support/deaths.ts'
import { expectHealthy } from './support/invariants.ts'
import { passTo } from './support/recover.ts'
import { createWorld, type World } from './support/world.ts'

describe('the pacing of hosts', () => {
  function fixture() {
    let now = 1_000
    const pacing = createHostPacing({ ...systemClock, now: () => now })
    const ask = (host: string, platform: 'bluesky' | 'meta' = 'bluesky') =>
      pacing.ask({ platform, host, accountId: 'a', recovery: false })
    const pause = (host: string, until: number) => pacing.pause({ platform: 'bluesky', host }, until)
    const at = (time: number) => {
      now = time
    }
    return { ask, pause, at }
  }

  test('lets all pass, but for a host that asked to wait, until its time', async () => {
    const { ask, pause, at } = fixture()
    expect(await ask('one')).toEqual({ ok: true })
    await pause('one', 2_000)
    expect(await ask('one')).toEqual({ ok: false, until: 2_000 })
    expect(await ask('other')).toEqual({ ok: true })
    expect(await ask('one', 'meta')).toEqual({ ok: true })
    at(1_999)
    expect(await ask('one')).toEqual({ ok: false, until: 2_000 })
    at(2_000)
    expect(await ask('one')).toEqual({ ok: true })
    at(1_500) // a clock that was put back brings no old pause back
    expect(await ask('one')).toEqual({ ok: true })
  })

  test('keeps the longest wait that a host asked for', async () => {
    const { ask, pause } = fixture()
    await pause('one', 3_000)
    await pause('one', 2_000)
    expect(await ask('one')).toEqual({ ok: false, until: 3_000 })
    await pause('one', 4_000)
    expect(await ask('one')).toEqual({ ok: false, until: 4_000 })
  })
})

describe('while a host is paused', () => {
  let world: World
  beforeAll(async () => {
    world = await createWorld()
  })
  afterEach(() => world.proxy.clear())
  afterAll(() => world[Symbol.asyncDispose]())

  const refresh = ({ engine }: Actor, { id }: Account) => engine.refreshAccount(id, { type: 'scheduled', force: true })

  /** Has the host ask this actor to wait: another account meets its 429. Returns until when. */
  async function pauseHost(actor: Actor, seconds: number): Promise<number> {
    const { account } = await world.connect()
    world.proxy.fault({ kind: 'rate_limited', retryAfterS: seconds, times: 1 })
    const outcome = await refresh(actor, account)
    if (outcome.kind !== 'failed') throw new Error(outcome.kind)
    expect(outcome.code).toBe('PROVIDER_RATE_LIMITED')
    return outcome.until
  }

  /** An account whose outcome is unknown since its first presentation. */
  async function leaveUnknown(actor: Actor): Promise<Account> {
    const { account } = await world.connect()
    world.proxy.fault({ kind: 'drop_answer', times: 1 })
    expect(await refresh(actor, account)).toMatchObject({ kind: 'ambiguous' })
    return world.read(account.id)
  }

  /** The last moment at which the successor can still be had safely. */
  const deadlineOf = ({ attempt }: Account) => attempt!.firstSentAt + GRACE_MS - DEFAULT_TIMES.graceMarginMs

  /** Nothing reaches the host meanwhile. */
  async function sendingNothing<T>(act: () => Promise<T>): Promise<T> {
    const before = world.proxy.requests.length
    const result = await act()
    expect(world.proxy.requests.length).toBe(before)
    return result
  }

  test('that it asked to wait cannot be noted for the others: this account waits all the same', async () => {
    const lines: string[] = []
    const deaf: Pacing = {
      ask: async () => ({ ok: true }),
      pause: () => Promise.reject(new Error('nowhere to note it')),
    }
    await using actor = world.newActor({ pacing: deaf, log: { write: (line) => void lines.push(line) } })
    const until = await pauseHost(actor, 300)
    expect(until).toBeGreaterThanOrEqual(world.clock.now() + 299 * SECOND)
    expect(lines.join('')).toContain('nowhere to note it')
  })

  test('an idle account is snoozed: no request, no attempt, nothing told', async () => {
    await using actor = world.newActor({ random: () => 0 })
    const { account } = await world.connect()
    const until = await pauseHost(actor, 300)
    const askedAt = world.clock.now()
    expect(await sendingNothing(() => refresh(actor, account))).toEqual({ kind: 'snoozed', until })
    const snoozed = await world.read(account.id)
    expect(snoozed).toStrictEqual({ ...account, nextRefreshAt: until, snoozedAt: snoozed.snoozedAt, outbox: [] })
    expect(snoozed.snoozedAt).toBeGreaterThanOrEqual(askedAt)
    expect(snoozed.snoozedAt).toBeLessThanOrEqual(world.clock.now())
    expect(await world.witness.logged(account.id)).toEqual([])

    passTo(world, until)
    expect(await actor.engine.refreshAccount(account.id, { type: 'scheduled' })).toMatchObject({ kind: 'refreshed' })
    await expectHealthy(world, account.id)
  })

  test('another worker, which was not asked to wait, goes on', async () => {
    await using actor = world.newActor({ random: () => 0 })
    await using other = world.newActor()
    const { account } = await world.connect()
    await pauseHost(actor, 300)
    expect(await refresh(other, account)).toMatchObject({ kind: 'refreshed' })
  })

  test('an outcome that is unknown waits too', async () => {
    await using actor = world.newActor({ random: () => 0 })
    const account = await leaveUnknown(actor)
    const until = await pauseHost(actor, 30 * 60)
    expect(until).toBeLessThan(deadlineOf(account))
    passTo(world, account.attempt!.notBefore)
    expect(await sendingNothing(() => refresh(actor, account))).toEqual({ kind: 'snoozed', until })
    const postponed = await world.read(account.id)
    expect(postponed).toStrictEqual({
      ...account,
      attempt: { ...account.attempt, notBefore: until },
      nextRefreshAt: until,
      snoozedAt: postponed.snoozedAt,
    })
    expect(postponed.snoozedAt).not.toBeNull()
    passTo(world, until)
    expect(await refresh(actor, account)).toMatchObject({ kind: 'refreshed' })
    await expectHealthy(world, account.id)
  })

  test('an outcome that is unknown waits for ten minutes before its grace ends at most, then goes ahead', async () => {
    await using actor = world.newActor({ random: () => 0 })
    const account = await leaveUnknown(actor)
    const { account: idle } = await world.connect()
    const deadline = deadlineOf(account)
    passTo(world, deadline - 30 * MINUTE)
    const until = await pauseHost(actor, HOUR / SECOND)
    expect(until).toBeGreaterThan(deadline)

    expect(await sendingNothing(() => refresh(actor, account))).toEqual({ kind: 'snoozed', until: deadline })
    expect(await world.read(account.id)).toMatchObject({
      attempt: { id: account.attempt!.id, state: 'released', notBefore: deadline },
      nextRefreshAt: deadline,
    })
    passTo(world, deadline)
    expect(await sendingNothing(() => refresh(actor, idle))).toEqual({ kind: 'snoozed', until })
    expect(await refresh(actor, account)).toMatchObject({ kind: 'refreshed' })
    expect(world.clock.now()).toBeLessThan(until)
    passTo(world, until)
    await expectHealthy(world, account.id)
  })

  test('asked to wait itself, it comes back before its grace ends all the same', async () => {
    await using actor = world.newActor({ random: () => 0 })
    const account = await leaveUnknown(actor)
    const deadline = deadlineOf(account)
    passTo(world, deadline - 30 * MINUTE)
    world.proxy.fault({ kind: 'rate_limited', retryAfterS: HOUR / SECOND, times: 1 })
    expect(await refresh(actor, account)).toEqual({
      kind: 'failed',
      code: 'PROVIDER_RATE_LIMITED',
      until: deadline,
    })
    const { attempt } = await world.read(account.id)
    expect(attempt).toMatchObject({ state: 'released', notBefore: deadline, firstSentAt: account.attempt!.firstSentAt })
    passTo(world, deadline)
    expect(await refresh(actor, account)).toMatchObject({ kind: 'refreshed' })
    passTo(world, deadline + HOUR)
    await expectHealthy(world, account.id)
  })

  test('what a dead worker left waits, and goes ahead in time', async () => {
    await using actor = world.newActor({ random: () => 0 })
    const { account } = await world.connect()
    await kill(world, 'send.in-flight', { action: 'refresh', accountIds: [account.id] })
    const left = await world.read(account.id)
    const deadline = deadlineOf(left)
    passTo(world, deadline - 30 * MINUTE)
    const until = await pauseHost(actor, HOUR / SECOND)
    expect(await sendingNothing(() => refresh(actor, account))).toEqual({ kind: 'snoozed', until: deadline })
    const postponed = await world.read(account.id)
    expect(postponed).toStrictEqual({
      ...left,
      attempt: { ...left.attempt, leaseUntil: deadline },
      nextRefreshAt: deadline,
      snoozedAt: postponed.snoozedAt,
    })
    passTo(world, deadline)
    expect(await refresh(actor, account)).toMatchObject({ kind: 'refreshed' })
    passTo(world, until)
    await expectHealthy(world, account.id)
  })

  test('accounts that wait for the same host do not come back in the same instant', async () => {
    await using actor = world.newActor()
    const accounts = await Promise.all(Array.from({ length: 4 }, () => world.connect()))
    await pauseHost(actor, 300)
    const outcomes = await Promise.all(accounts.map(({ account }) => refresh(actor, account)))
    expect(new Set(outcomes.map((outcome) => ('until' in outcome ? outcome.until : 0))).size).toBeGreaterThan(1)
  })

  test('past its grace, an outcome that is unknown waits like the others', async () => {
    await using actor = world.newActor({ random: () => 0 })
    const account = await leaveUnknown(actor)
    passTo(world, account.attempt!.firstSentAt + GRACE_MS + MINUTE)
    const until = await pauseHost(actor, 300)
    expect(await sendingNothing(() => refresh(actor, account))).toEqual({ kind: 'snoozed', until })
  })
})
