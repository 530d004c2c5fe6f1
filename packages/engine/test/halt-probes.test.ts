import { DAY, HOUR, haltIdOf, MINUTE, SECOND } from '@tokenkeeper/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createActor } from './support/actor.ts'
import type { GraphPlatform } from './support/graph-world.ts'
import { createHaltWorld, type HaltWorld, PROBES } from './support/halt-world.ts'

let world: HaltWorld
beforeEach(async () => {
  world = await createHaltWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

describe('the probe', () => {
  test('is made without any account, and a lasting halt ends by it', async () => {
    const [id] = await world.connectMany('meta', 1)
    world.resetSecret()
    await world.refresh(id!)
    const asked = world.watchRequests()
    expect(await world.engine.probeHalts()).toBe(0)
    expect(asked()).toEqual([])
    world.pass(15 * MINUTE)
    expect(await world.engine.probeHalts()).toBe(0)
    expect(asked()).toEqual(PROBES.meta)
    world.resetSecret(world.appOf('meta').secret)
    world.pass(15 * MINUTE)
    expect(await world.engine.probeHalts()).toBe(1)
    expect(asked()).toEqual([...PROBES.meta, '/debug_token'])
    expect(await world.store.halts.list()).toEqual([])
  })

  test('by a process that was given the new secret ends the halt, which one with the old secret does not', async () => {
    const [id] = await world.connectMany('meta', 1)
    const { secret } = world.control.resetSecret({ appId: world.appOf('meta').id })
    await world.refresh(id!)
    const graph = world.scene.graph!
    const meta = { ...graph.meta, app: { ...graph.meta.app, secret } }
    await using mended = createActor({ ...world.scene, graph: { ...graph, meta } })
    world.pass(15 * MINUTE)
    expect(await world.engine.probeHalts()).toBe(0)
    expect(await mended.engine.probeHalts()).toBe(0)
    world.pass(15 * MINUTE)
    expect(await mended.engine.probeHalts()).toBe(1)
    expect(await mended.engine.refreshAccount(id!, { type: 'scheduled' })).toMatchObject({ kind: 'refreshed' })
  })

  test.each<GraphPlatform>(['meta', 'instagram'])('at %s is one, however many want it', async (platform) => {
    const ids = await world.connectMany(platform, 6)
    world.setStanding(platform, 'restricted')
    await world.refresh(ids[0]!)
    await using other = world.newActor()
    for (let round = 0; round < 3; round++) {
      world.pass(15 * MINUTE)
      const asked = world.watchRequests()
      const outcomes = await Promise.all([
        ...ids.map((id, i) => (i % 2 ? world : other).engine.refreshAccount(id, { type: 'manual', force: true })),
        world.engine.probeHalts(),
        other.engine.probeHalts(),
      ])
      expect(asked()).toEqual(PROBES[platform])
      expect(outcomes.filter((outcome) => typeof outcome === 'object' && outcome.kind === 'refreshed')).toEqual([])
    }
    await world.expectAllActive(ids, 1)
  })

  test('the others come back a minute later, not a whole wait', async () => {
    const ids = await world.connectMany('instagram', 5)
    world.setStanding('instagram', 'restricted')
    await world.refresh(ids[0]!)
    world.setStanding('instagram', 'live')
    world.pass(16 * MINUTE)
    await Promise.all(ids.map((id) => world.refresh(id)))
    world.pass(MINUTE + 10 * SECOND)
    for (const id of ids) await world.refreshIfDue(id)
    await world.expectAllActive(ids, 2)
  })

  test('by a refresh of Instagram ends the halt also if that user is lost, which is told of the user alone', async () => {
    const { account, user } = await world.connect('instagram')
    world.pass(25 * HOUR)
    await world.store.halts.insert(world.halted('instagram', { probeAt: world.clock.now() }))
    world.control.removeApp({ appId: world.appOf('instagram').id, userId: user.id })
    expect(await world.refresh(account.id)).toEqual({ kind: 'dead', code: 'META_ACCESS_REVOKED' })
    expect(await world.store.halts.list()).toEqual([])
  })

  test('that gets no answer leaves the halt as it is', async () => {
    const [id] = await world.connectMany('instagram', 1)
    await world.store.halts.insert(world.halted('instagram', { probeAt: world.clock.now() }))
    world.control.inject({ host: 'instagram', error: 'service' })
    expect(await world.refresh(id!)).toMatchObject({ kind: 'failed', code: 'PROVIDER_UNAVAILABLE' })
    expect(await world.haltOf('instagram')).toMatchObject({ code: 'META_APP_BLOCKED' })
    world.pass(5 * MINUTE)
    expect(await world.refresh(id!)).toMatchObject({ kind: 'snoozed' })
    world.pass(10 * MINUTE)
    expect(await world.refresh(id!)).toMatchObject({ kind: 'refreshed' })
    expect(await world.store.halts.list()).toEqual([])
  })

  test('is not made by who cannot go ahead', async () => {
    const { account } = await world.connect('instagram') // too young to be refreshed
    const due = world.halted('instagram', { probeAt: world.clock.now() })
    await world.store.halts.insert(due)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'snoozed' })
    expect(await world.haltOf('instagram')).toEqual(due)
  })

  test('is made at once where a wrong clock has put it off for years', async () => {
    const [id] = await world.connectMany('meta', 1)
    await world.store.halts.insert(world.halted('meta', { probeAt: world.clock.now() + 999 * DAY }))
    expect(await world.refresh(id!)).toMatchObject({ kind: 'refreshed' })
    expect(await world.store.halts.list()).toEqual([])
  })
})

describe('a halt that only an account can probe', () => {
  test.each([
    ['instagram', 'META_APP_BLOCKED'],
    ['meta', 'PROVIDER_RATE_LIMITED'],
    ['meta', 'META_PROOF_REFUSED'],
  ] as const)('at %s, %s, is forgotten when nobody was there to meet it for a day', async (platform, code) => {
    const standing = world.halted(platform, { code })
    await world.store.halts.insert(standing)
    const asked = world.watchRequests()
    world.passTo(standing.probeAt + DAY - MINUTE)
    expect(await world.engine.probeHalts()).toBe(0)
    expect(await world.haltOf(platform)).toEqual(standing)
    world.pass(MINUTE)
    expect(await world.engine.probeHalts()).toBe(0)
    expect(await world.store.halts.list()).toEqual([])
    expect(asked()).toEqual([])
  })

  test('stays as long as its platform is off', async () => {
    await world.store.halts.insert(world.halted('instagram'))
    const { graph: _, ...without } = world.scene
    await using other = createActor(without)
    world.pass(2 * DAY)
    await other.engine.probeHalts()
    expect(await world.haltOf('instagram')).not.toBeNull()
  })
})

describe('a process that dies', () => {
  test('in the middle of a refresh that was the probe: the next one is made 15 minutes later', async () => {
    const ids = await world.connectMany('instagram', 2)
    await world.store.halts.insert(world.halted('instagram', { probeAt: world.clock.now() }))
    await using child = world.run({
      action: 'refresh',
      accountIds: [ids[0]!],
      kill: { point: 'send.checked-not-sent', signal: 'SIGKILL' },
    })
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' })
    const asked = world.watchRequests()
    expect(await world.refresh(ids[1]!)).toMatchObject({ kind: 'snoozed' })
    expect(asked()).toEqual([])
    world.pass(15 * MINUTE + 10 * SECOND)
    expect(await world.refreshIfDue(ids[1]!)).toMatchObject({ kind: 'refreshed' })
    expect(await world.store.halts.list()).toEqual([])
    // What it left is recovered as ever; at Instagram when the token may have become old enough again.
    const { attempt } = await world.read(ids[0]!)
    expect(attempt).toMatchObject({ state: 'live' })
    world.pass(25 * HOUR)
    expect(await world.refreshIfDue(ids[0]!)).toMatchObject({ kind: 'refreshed' })
    await world.expectAllActive(ids, 2)
  })

  test('while Meta is about to answer it: the next one is made 15 minutes later', async () => {
    const [id] = await world.connectMany('meta', 1)
    await world.store.halts.insert(world.halted('meta', { probeAt: world.clock.now() }))
    const held = world.proxy.fault({ kind: 'hold', times: 1 })
    await using child = world.run({ action: 'refresh', accountIds: [id!] })
    await held.reached
    child.kill()
    await child.exited
    const asked = world.watchRequests()
    expect(await world.engine.probeHalts()).toBe(0)
    expect(await world.refresh(id!)).toMatchObject({ kind: 'snoozed' })
    expect(asked()).toEqual([])
    world.pass(15 * MINUTE + 10 * SECOND)
    expect(await world.refreshIfDue(id!)).toMatchObject({ kind: 'refreshed' })
    await world.expectAllActive([id!], 2)
    expect(await world.store.halts.list()).toEqual([])
  })
})

describe('an operator', () => {
  test('ends the halts of a platform, which is recorded', async () => {
    const [id] = await world.connectMany('meta', 1)
    const other = world.halted('meta', { providerAppId: 'another', id: haltIdOf('meta', 'another') })
    for (const halt of [world.halted('meta'), other, world.halted('threads')]) await world.store.halts.insert(halt)
    expect(await world.engine.endHalts('meta', 'another', 'someone')).toEqual([other])
    expect((await world.store.halts.list()).map(({ platform }) => platform).toSorted()).toEqual(['meta', 'threads'])
    expect(await world.refresh(id!)).toMatchObject({ kind: 'snoozed' })
    expect(await world.engine.endHalts('meta', undefined, 'someone')).toHaveLength(1)
    expect(await world.refresh(id!)).toMatchObject({ kind: 'refreshed' })
    const audit = (await world.store.audit.list({ limit: 9 })).filter(({ action }) => action === 'halt.ended')
    expect(audit.map(({ actor, detail }) => [actor, detail])).toEqual([
      ['someone', `meta ${world.appOf('meta').id} META_APP_BLOCKED`],
      ['someone', 'meta another META_APP_BLOCKED'],
    ])
    expect((await world.store.halts.list()).map(({ platform }) => platform)).toEqual(['threads'])
  })

  test('is told if there is none', async () => {
    await expect(world.engine.endHalts('meta', undefined, 'someone')).rejects.toMatchObject({ code: 'HALT_NOT_FOUND' })
    await world.store.halts.insert(world.halted('meta'))
    await expect(world.engine.endHalts('meta', 'another', 'someone')).rejects.toMatchObject({ code: 'HALT_NOT_FOUND' })
    expect(await world.store.audit.list({ limit: 9 })).toEqual([])
  })
})
