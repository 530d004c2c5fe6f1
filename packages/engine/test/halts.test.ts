import { DAY, type Halt, HOUR, type Hook, haltIdOf, MINUTE, SECOND } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { standingHalt } from '../src/halts.ts'
import { createActor } from './support/actor.ts'
import { gateAt } from './support/gate.ts'
import { createGraphWorld, type GraphPlatform, type GraphWorld } from './support/graph-world.ts'

let world: GraphWorld
let lines: { level: number; msg: string; code?: string }[]
beforeEach(async () => {
  lines = []
  world = await createGraphWorld({ log: { write: (line) => lines.push(JSON.parse(line)) } })
})
afterEach(() => world[Symbol.asyncDispose]())

const errors = () => lines.filter(({ level }) => level >= 50)

/** What the emulator was asked since the last look. */
function watchRequests() {
  let after = world.control.requests({}).count
  return () => {
    const { count, requests } = world.control.requests({ after })
    after = count
    return requests.map(({ path, grantType }) => (grantType ? `${path} ${grantType}` : path))
  }
}

const appOf = (platform: GraphPlatform) => world.scene.graph![platform].app
const haltOf = (platform: GraphPlatform) => world.store.halts.get(haltIdOf(platform, appOf(platform).id))
const halted = (platform: GraphPlatform, more: Partial<Halt> = {}): Halt => ({
  id: haltIdOf(platform, appOf(platform).id),
  platform,
  providerAppId: appOf(platform).id,
  state: 'halted',
  code: 'META_APP_BLOCKED',
  suspects: [],
  since: world.clock.now(),
  probeAt: world.clock.now() + 15 * MINUTE,
  ...more,
})

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

/** New accounts, old enough to be refreshed. */
async function connectMany(platform: GraphPlatform, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push((await world.connect(platform)).account.id)
  world.pass(25 * HOUR)
  return ids
}

async function expectAllActive(ids: readonly string[], generation: number) {
  for (const account of await world.store.accounts.getMany(ids)) {
    expect(account).toMatchObject({ status: 'active', statusReason: null, generation, attempt: null })
  }
}

/** Each cause, how it comes and goes, and what finds out that it is gone. */
const CAUSES = [
  [
    'meta',
    'its secret is reset',
    'META_APP_SECRET_WRONG',
    () => resetSecret(),
    () => resetSecret(appOf('meta').secret),
  ],
  ['meta', 'it is disabled', 'META_APP_INVALID', ...standing('meta', 'disabled')],
  ['meta', 'it is restricted', 'META_APP_BLOCKED', ...standing('meta', 'restricted')],
  ['instagram', 'it is disabled', 'META_APP_INVALID', ...standing('instagram', 'disabled')],
  ['instagram', 'it is restricted', 'META_APP_BLOCKED', ...standing('instagram', 'restricted')],
  ['threads', 'it is disabled', 'META_APP_INVALID', ...standing('threads', 'disabled')],
  ['threads', 'it is restricted', 'META_APP_BLOCKED', ...standing('threads', 'restricted')],
] as const

function resetSecret(secret?: string) {
  world.control.resetSecret({ appId: appOf('meta').id, ...(secret && { secret }) })
}

function standing(platform: GraphPlatform, bad: 'disabled' | 'restricted') {
  const set = (standing: 'live' | typeof bad) => world.control.setAppStanding({ appId: appOf(platform).id, standing })
  return [() => set(bad), () => set('live')] as const
}

/** The one request that finds out whether the app is accepted, and those of a refresh that succeeds. */
const PROBES = {
  meta: ['/oauth/access_token client_credentials'],
  instagram: ['/refresh_access_token ig_refresh_token'],
  threads: ['/refresh_access_token th_refresh_token'],
} as const

describe.each(CAUSES)('the app at %s: %s', (platform, _cause, code, breakIt, mendIt) => {
  test('halts the platform: no account is blamed, one request each 15 minutes asks, and then all goes on', async () => {
    const ids = await connectMany(platform, 3)
    const [first, second, third] = ids as [string, string, string]
    breakIt()
    const asked = watchRequests()
    expect(await world.refresh(first)).toMatchObject({ kind: 'failed', code })
    expect(asked()).toHaveLength(1)
    const halt = await haltOf(platform)
    expect(halt).toMatchObject({
      platform,
      providerAppId: appOf(platform).id,
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
    await expectAllActive(ids, 1)

    mendIt()
    for (const id of ids) expect(await world.refresh(id)).toMatchObject({ kind: 'snoozed' })
    expect(asked()).toEqual([])
    world.pass(15 * MINUTE + 10 * SECOND)
    for (const id of [third, second, first]) expect(await world.refreshIfDue(id)).toMatchObject({ kind: 'refreshed' })
    await expectAllActive(ids, 2)
    expect(await world.store.halts.list()).toEqual([])
  })

  test('is told as an error once, however many meet it at once', async () => {
    const ids = await connectMany(platform, 6)
    breakIt()
    const together = meeting('send.checked-not-sent', ids.length)
    await using actor = world.newActor({ hook: together, log: { write: (line) => lines.push(JSON.parse(line)) } })
    const options = { type: 'manual', force: true } as const
    const outcomes = await Promise.all(ids.map((id) => actor.engine.refreshAccount(id, options)))
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(6).fill('failed'))
    await expectAllActive(ids, 1)
    expect(errors()).toMatchObject([{ code, msg: `${platform} halted: our app is refused` }])
  })
})

test('other platforms go on', async () => {
  const [[meta], [instagram]] = [await connectMany('meta', 1), await connectMany('instagram', 1)]
  resetSecret()
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
      const ids = await connectMany(platform, 3)
      world.control.setBudget({ appId: appOf(platform).id, app: 0 })
      const asked = watchRequests()
      expect(await world.refresh(ids[0]!)).toMatchObject({ kind: 'failed', code: 'PROVIDER_RATE_LIMITED' })
      await using other = world.newActor()
      expect(await other.engine.refreshAccount(ids[1]!, { type: 'manual', force: true })).toMatchObject({
        kind: 'snoozed',
      })
      world.pass(59 * MINUTE)
      expect(await world.refresh(ids[2]!)).toMatchObject({ kind: 'snoozed' })
      expect(await world.engine.probeHalts()).toBe(0)
      expect(asked()).toHaveLength(1)
      expect(errors()).toEqual([])

      world.pass(MINUTE + 10 * SECOND)
      // Only what refreshes do tells about their budget.
      expect(await world.engine.probeHalts()).toBe(0)
      expect(asked()).toEqual([])
      expect(await world.refreshIfDue(ids[0]!)).toMatchObject({ kind: 'failed', code: 'PROVIDER_RATE_LIMITED' })
      const halt = await haltOf(platform)
      expect(halt!.probeAt - world.clock.now()).toBeGreaterThan(59 * MINUTE)
      expect(await world.refreshIfDue(ids[1]!)).toMatchObject({ kind: 'snoozed' })
      expect(asked()).toHaveLength(1)

      world.control.setBudget({ appId: appOf(platform).id, app: 1_000 })
      world.pass(HOUR + 10 * SECOND)
      for (const id of ids) expect(await world.refreshIfDue(id)).toMatchObject({ kind: 'refreshed' })
      expect(await world.store.halts.list()).toEqual([])
      await expectAllActive(ids, 2)
    },
  )

  test('and is refused as well: the refusal is what stands, and the longer wait', async () => {
    const [id] = await connectMany('meta', 1)
    await world.store.halts.insert(halted('meta', { code: 'PROVIDER_RATE_LIMITED', probeAt: world.clock.now() }))
    resetSecret()
    expect(await world.refresh(id!)).toMatchObject({ kind: 'failed', code: 'META_APP_SECRET_WRONG' })
    expect(await haltOf('meta')).toMatchObject({ code: 'META_APP_SECRET_WRONG' })
    resetSecret(appOf('meta').secret)
    world.pass(15 * MINUTE)
    world.control.inject({ host: 'facebook', error: 'app_limit' })
    expect(await world.engine.probeHalts()).toBe(0)
    const halt = await haltOf('meta')
    expect(halt).toMatchObject({ code: 'META_APP_SECRET_WRONG' })
    expect(halt!.probeAt - world.clock.now()).toBeGreaterThan(59 * MINUTE)
  })
})

describe('the probe', () => {
  test('is made without any account, and a lasting halt ends by it', async () => {
    const [id] = await connectMany('meta', 1)
    resetSecret()
    await world.refresh(id!)
    const asked = watchRequests()
    expect(await world.engine.probeHalts()).toBe(0)
    expect(asked()).toEqual([])
    world.pass(15 * MINUTE)
    expect(await world.engine.probeHalts()).toBe(0)
    expect(asked()).toEqual(PROBES.meta)
    resetSecret(appOf('meta').secret)
    world.pass(15 * MINUTE)
    expect(await world.engine.probeHalts()).toBe(1)
    expect(asked()).toEqual([...PROBES.meta, '/debug_token'])
    expect(await world.store.halts.list()).toEqual([])
  })

  test('by a process that was given the new secret ends the halt, which one with the old secret does not', async () => {
    const [id] = await connectMany('meta', 1)
    const { secret } = world.control.resetSecret({ appId: appOf('meta').id })
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
    const ids = await connectMany(platform, 6)
    standing(platform, 'restricted')[0]()
    await world.refresh(ids[0]!)
    await using other = world.newActor()
    for (let round = 0; round < 3; round++) {
      world.pass(15 * MINUTE)
      const asked = watchRequests()
      const outcomes = await Promise.all([
        ...ids.map((id, i) => (i % 2 ? world : other).engine.refreshAccount(id, { type: 'manual', force: true })),
        world.engine.probeHalts(),
        other.engine.probeHalts(),
      ])
      expect(asked()).toEqual(PROBES[platform])
      expect(outcomes.filter((outcome) => typeof outcome === 'object' && outcome.kind === 'refreshed')).toEqual([])
    }
    await expectAllActive(ids, 1)
  })

  test('the others come back a minute later, not a whole wait', async () => {
    const ids = await connectMany('instagram', 5)
    const [breakIt, mendIt] = standing('instagram', 'restricted')
    breakIt()
    await world.refresh(ids[0]!)
    mendIt()
    world.pass(16 * MINUTE)
    await Promise.all(ids.map((id) => world.refresh(id)))
    world.pass(MINUTE + 10 * SECOND)
    for (const id of ids) await world.refreshIfDue(id)
    await expectAllActive(ids, 2)
  })

  test('by a refresh of Instagram ends the halt also if that user is lost, which is told of the user alone', async () => {
    const { account, user } = await world.connect('instagram')
    world.pass(25 * HOUR)
    await world.store.halts.insert(halted('instagram', { probeAt: world.clock.now() }))
    world.control.removeApp({ appId: appOf('instagram').id, userId: user.id })
    expect(await world.refresh(account.id)).toEqual({ kind: 'dead', code: 'META_ACCESS_REVOKED' })
    expect(await world.store.halts.list()).toEqual([])
  })

  test('that gets no answer leaves the halt as it is', async () => {
    const [id] = await connectMany('instagram', 1)
    await world.store.halts.insert(halted('instagram', { probeAt: world.clock.now() }))
    world.control.inject({ host: 'instagram', error: 'service' })
    expect(await world.refresh(id!)).toMatchObject({ kind: 'failed', code: 'PROVIDER_UNAVAILABLE' })
    expect(await haltOf('instagram')).toMatchObject({ code: 'META_APP_BLOCKED' })
    world.pass(5 * MINUTE)
    expect(await world.refresh(id!)).toMatchObject({ kind: 'snoozed' })
    world.pass(10 * MINUTE)
    expect(await world.refresh(id!)).toMatchObject({ kind: 'refreshed' })
    expect(await world.store.halts.list()).toEqual([])
  })

  test('is not made by who cannot go ahead', async () => {
    const { account } = await world.connect('instagram') // too young to be refreshed
    const due = halted('instagram', { probeAt: world.clock.now() })
    await world.store.halts.insert(due)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'snoozed' })
    expect(await haltOf('instagram')).toEqual(due)
  })

  test('is made at once where a wrong clock has put it off for years', async () => {
    const [id] = await connectMany('meta', 1)
    await world.store.halts.insert(halted('meta', { probeAt: world.clock.now() + 999 * DAY }))
    expect(await world.refresh(id!)).toMatchObject({ kind: 'refreshed' })
    expect(await world.store.halts.list()).toEqual([])
  })
})

describe('a process that dies', () => {
  test('in the middle of a refresh that was the probe: the next one is made 15 minutes later', async () => {
    const ids = await connectMany('instagram', 2)
    await world.store.halts.insert(halted('instagram', { probeAt: world.clock.now() }))
    await using child = world.run({
      action: 'refresh',
      accountIds: [ids[0]!],
      kill: { point: 'send.checked-not-sent', signal: 'SIGKILL' },
    })
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' })
    const asked = watchRequests()
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
    await expectAllActive(ids, 2)
  })

  test('while Meta is about to answer it: the next one is made 15 minutes later', async () => {
    const [id] = await connectMany('meta', 1)
    await world.store.halts.insert(halted('meta', { probeAt: world.clock.now() }))
    const held = world.proxy.fault({ kind: 'hold', times: 1 })
    await using child = world.run({ action: 'refresh', accountIds: [id!] })
    await held.reached
    child.kill()
    await child.exited
    const asked = watchRequests()
    expect(await world.engine.probeHalts()).toBe(0)
    expect(await world.refresh(id!)).toMatchObject({ kind: 'snoozed' })
    expect(asked()).toEqual([])
    world.pass(15 * MINUTE + 10 * SECOND)
    expect(await world.refreshIfDue(id!)).toMatchObject({ kind: 'refreshed' })
    await expectAllActive([id!], 2)
    expect(await world.store.halts.list()).toEqual([])
  })
})

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
    expect(await haltOf('meta')).toMatchObject({ state: 'suspected', suspects: [one.id] })
    expect(await world.refresh(four.id)).toMatchObject({ kind: 'refreshed' })
    world.pass(5 * MINUTE)
    await world.refresh(two.id)
    await world.refresh(one.id)
    expect(await haltOf('meta')).toMatchObject({ state: 'suspected', suspects: [one.id, two.id] })
    world.pass(5 * MINUTE)
    await world.refresh(three.id)
    expect(await haltOf('meta')).toMatchObject({ state: 'halted', suspects: [one.id, two.id, three.id] })
    expect(errors()).toMatchObject([{ code: 'META_PROOF_REFUSED' }])
    const asked = watchRequests()
    expect(await world.refresh(four.id)).toMatchObject({ kind: 'snoozed' })
    expect(asked()).toEqual([])
    world.control.clearInjections({})
    world.pass(15 * MINUTE + 10 * SECOND)
    expect(await world.engine.probeHalts()).toBe(1)
    for (const { id } of [one, two, three]) expect(await world.refreshIfDue(id)).toMatchObject({ kind: 'refreshed' })
    await expectAllActive([one.id, two.id, three.id], 2)
  })

  test('met by all is found out by the accounts themselves, as they come back, however slowly they fall due', async () => {
    const users = await connectUsers(3)
    refuse(...users.map(({ userId }) => userId))
    for (let minute = 0; (await haltOf('meta'))?.state !== 'halted'; minute++) {
      expect(minute).toBeLessThan(40)
      // The second falls due 12 minutes after the first, the third as long after the second.
      for (const [i, { id }] of users.entries()) {
        if (minute === 12 * i) await world.refresh(id)
        else if (minute > 12 * i) await world.refreshIfDue(id)
      }
      world.pass(MINUTE)
    }
    await expectAllActive([users[1]!.id, users[2]!.id], 1)
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
    expect((await haltOf('meta'))?.state).toBe('suspected')
    world.pass(HOUR)
    await world.engine.probeHalts()
    expect(await world.store.halts.list()).toEqual([])
    world.control.clearInjections({})
    expect(await world.refresh(one.id)).toMatchObject({ kind: 'refreshed' })
    await expectAllActive([one.id, other.id], 2)
  })

  test('an old suspicion counts for nothing', async () => {
    const users = await connectUsers(3)
    refuse(...users.map(({ userId }) => userId))
    for (const { id } of users) {
      await world.refresh(id)
      expect(await haltOf('meta')).toMatchObject({ state: 'suspected', suspects: [id] })
      world.pass(16 * MINUTE)
    }
  })
})

interface User {
  readonly id: string
  readonly userId: string
}

describe('a dead code while the platform is halted', () => {
  test.each<GraphPlatform>(['meta', 'instagram'])(
    'at %s is not believed, and no witness is asked',
    async (platform) => {
      const { account, user } = await world.connect(platform)
      world.pass(25 * HOUR)
      const gate = gateAt('dead.before-reread')
      await using actor = world.newActor({ hook: gate.hook })
      world.control.removeApp({ appId: appOf(platform).id, userId: user.id })
      const asked = watchRequests()
      const refreshing = actor.engine.refreshAccount(account.id, { type: 'manual', force: true })
      await gate.reached
      await world.store.halts.insert(halted(platform))
      gate.open()
      expect(await refreshing).toMatchObject({ kind: 'failed', code: 'META_ACCESS_REVOKED' })
      expect(asked()).toHaveLength(1)
      await expectAllActive([account.id], 1)
      const { nextRefreshAt } = await world.read(account.id)
      expect(nextRefreshAt).toBeGreaterThanOrEqual((await haltOf(platform))!.probeAt)
      world.pass(15 * MINUTE + 10 * SECOND)
      expect(await world.refreshIfDue(account.id)).toMatchObject({ kind: 'dead', code: 'META_ACCESS_REVOKED' })
    },
  )

  test('is not believed either if the halt begins while the witness answers', async () => {
    const { account, user } = await world.connect()
    world.control.removeApp({ appId: appOf('meta').id, userId: user.id })
    const held = world.proxy.fault({ kind: 'hold', match: ({ path }) => path.includes('debug_token') })
    const refreshing = world.refresh(account.id)
    await held.reached
    await world.store.halts.insert(halted('meta'))
    held.release()
    expect(await refreshing).toMatchObject({ kind: 'failed', code: 'META_ACCESS_REVOKED' })
    await expectAllActive([account.id], 1)
  })
})

test('a halt that cannot be noted keeps no account from ending its attempt', async () => {
  const [id] = await connectMany('meta', 1)
  resetSecret()
  const away = { ...world.store, halts: { ...world.store.halts, insert: () => Promise.reject(new Error('away')) } }
  await using actor = world.newActor({ store: away })
  const outcome = await actor.engine.refreshAccount(id!, { type: 'manual', force: true })
  expect(outcome).toMatchObject({ kind: 'failed', code: 'META_APP_SECRET_WRONG' })
  await expectAllActive([id!], 1)
})

test('an outcome that is unknown is recovered when the halt is over', async () => {
  const [id] = await connectMany('meta', 1)
  const lost = world.proxy.fault({ kind: 'drop_answer', times: 1 })
  expect(await world.refresh(id!)).toMatchObject({ kind: 'ambiguous' })
  await lost.reached
  await world.store.halts.insert(halted('meta'))
  world.pass(5 * MINUTE)
  const asked = watchRequests()
  expect(await world.refresh(id!)).toMatchObject({ kind: 'snoozed' })
  expect(asked()).toEqual([])
  expect((await world.read(id!)).attempt).toMatchObject({ state: 'released' })
  world.pass(10 * MINUTE + 10 * SECOND)
  expect(await world.refreshIfDue(id!)).toMatchObject({ kind: 'refreshed' })
})

describe('an answer that no row knows', () => {
  const unknown = { status: 400, body: { error: { message: 'Something new', type: 'OAuthException', code: 4711 } } }

  test('five times in a row is for a person to look at; an outage between begins the count anew', async () => {
    const [id] = await connectMany('meta', 1)
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
    await expectAllActive([id!], 2)
  })
})

describe('an operator', () => {
  test('ends the halts of a platform, which is recorded', async () => {
    const [id] = await connectMany('meta', 1)
    const other = halted('meta', { providerAppId: 'another', id: haltIdOf('meta', 'another') })
    for (const halt of [halted('meta'), other, halted('threads')]) await world.store.halts.insert(halt)
    expect(await world.engine.endHalts('meta', 'another', 'someone')).toEqual([other])
    expect((await world.store.halts.list()).map(({ platform }) => platform).toSorted()).toEqual(['meta', 'threads'])
    expect(await world.refresh(id!)).toMatchObject({ kind: 'snoozed' })
    expect(await world.engine.endHalts('meta', undefined, 'someone')).toHaveLength(1)
    expect(await world.refresh(id!)).toMatchObject({ kind: 'refreshed' })
    const audit = (await world.store.audit.list({ limit: 9 })).filter(({ action }) => action === 'halt.ended')
    expect(audit.map(({ actor, detail }) => [actor, detail])).toEqual([
      ['someone', `meta ${appOf('meta').id} META_APP_BLOCKED`],
      ['someone', 'meta another META_APP_BLOCKED'],
    ])
    expect((await world.store.halts.list()).map(({ platform }) => platform)).toEqual(['threads'])
  })

  test('is told if there is none', async () => {
    await expect(world.engine.endHalts('meta', undefined, 'someone')).rejects.toMatchObject({ code: 'HALT_NOT_FOUND' })
    await world.store.halts.insert(halted('meta'))
    await expect(world.engine.endHalts('meta', 'another', 'someone')).rejects.toMatchObject({ code: 'HALT_NOT_FOUND' })
    expect(await world.store.audit.list({ limit: 9 })).toEqual([])
  })
})
