import { DAY, HOUR, MINUTE } from '@tokenkeeper/core'
import { startFaultProxy } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { connectSystemUser, createMetaProvider, type Usage, type VersionDrift } from '../src/index.ts'
import { accountOf, metaWorld } from './support/graph-world.ts'

type World = Awaited<ReturnType<typeof metaWorld>>

/** Connected `ageMs` ago; what the provider and the emulator make of it. */
async function subject(world: World, ageMs = 50 * DAY) {
  const login = await world.connect()
  world.control.advanceClock({ ms: ageMs })
  return { login, account: accountOf(login), credential: login.credential }
}

async function refreshed(world: World, { account, credential }: Awaited<ReturnType<typeof subject>>) {
  const answer = await world.provider.refresh(account, credential)
  if (answer.kind !== 'refreshed') throw new Error(JSON.stringify(answer))
  return answer
}

/** Paths asked for since, without their version. */
function asked(world: World, after = 0) {
  return world.control.requests({ after }).requests.map(({ path }) => path)
}

describe.concurrent('what a refresh does to the end', () => {
  test('extended', async () => {
    await using world = await metaWorld()
    const one = await subject(world)
    const answer = await refreshed(world, one)
    expect(answer).toMatchObject({ extension: 'extended', diesAt: world.clock.now() + 60 * DAY })
    expect(answer.accessExpiresAt).toBe(answer.diesAt)
    expect(answer).not.toHaveProperty('dataAccessExpiresAt')
    expect(answer.credential.accessToken).not.toBe(one.credential.accessToken)
  })

  test('the same again', async () => {
    await using world = await metaWorld()
    const one = await subject(world)
    world.control.configure({ refreshMode: 'same_expiry' })
    const answer = await refreshed(world, one)
    expect(answer).toMatchObject({ extension: 'same_expiry', diesAt: one.account.diesAt })
  })

  test('not told: debug_token tells, and when the user has to consent anew', async () => {
    await using world = await metaWorld()
    const one = await subject(world)
    const { count } = world.control.requests()
    world.control.configure({ refreshMode: 'omit_expires_in' })
    const answer = await refreshed(world, one)
    expect(answer).toMatchObject({
      extension: 'extended',
      diesAt: world.clock.now() + 60 * DAY,
      dataAccessExpiresAt: world.clock.now() + 40 * DAY,
    })
    expect(asked(world, count)).toEqual(['/oauth/access_token', '/debug_token'])
  })

  test('not told, and debug_token is down: the token is kept, and ends no sooner than before', async () => {
    await using world = await metaWorld()
    const one = await subject(world)
    world.control.configure({ refreshMode: 'omit_expires_in' })
    world.control.inject({ path: /debug_token/, error: 'service' })
    const answer = await refreshed(world, one)
    expect(answer).toMatchObject({ extension: 'unknown', diesAt: one.account.diesAt })
    expect(world.control.inspectToken({ token: answer.credential.accessToken }).valid).toBe(true)
  })

  test('an end that was unknown is learnt, and the token exchanged', async () => {
    await using world = await metaWorld()
    const { account, credential } = await subject(world)
    const { count } = world.control.requests()
    const answer = await world.provider.refresh({ ...account, diesAt: null }, credential)
    expect(answer).toMatchObject({ extension: 'unknown', diesAt: world.clock.now() + 60 * DAY })
    expect(asked(world, count)).toEqual(['/debug_token', '/oauth/access_token'])
  })

  test('the end of data access, which the user may have moved, is looked up where there is one', async () => {
    await using world = await metaWorld()
    const { account, credential } = await subject(world)
    const { count } = world.control.requests()
    const known = { ...account, dataAccessExpiresAt: world.clock.now() }
    world.control.engage({ appId: account.providerAppId, userId: account.externalId })
    const dataAccessExpiresAt = world.clock.now() + 90 * DAY
    expect(await world.provider.refresh(known, credential)).toMatchObject({ kind: 'refreshed', dataAccessExpiresAt })
    expect(asked(world, count)).toEqual(['/oauth/access_token', '/debug_token'])
    world.control.inject({ path: '/debug_token', error: 'transient' })
    expect(await world.provider.refresh(known, credential)).not.toHaveProperty('dataAccessExpiresAt')
  })
})

describe.concurrent("a system user's token", () => {
  async function system(world: World, expiresIn: number | null) {
    const { id: userId } = world.control.createUser({ family: 'facebook', systemUser: true })
    world.control.grant({ appId: world.app.id, userId })
    const { accessToken } = world.control.issueToken({ appId: world.app.id, userId, expiresIn })
    const login = await connectSystemUser(world.options, accessToken)
    return { login, account: accountOf(login), credential: login.credential }
  }

  test('without an end is looked at, and never exchanged for one with an end', async () => {
    await using world = await metaWorld()
    const one = await system(world, null)
    const { count } = world.control.requests()
    expect(await refreshed(world, one)).toMatchObject({
      credential: one.credential,
      diesAt: null,
      extension: 'unknown',
    })
    expect(asked(world, count)).toEqual(['/debug_token'])
  })

  test('with an end is extended by 60 days', async () => {
    await using world = await metaWorld()
    const one = await system(world, 30 * 86_400)
    expect(await refreshed(world, one)).toMatchObject({
      extension: 'extended',
      diesAt: world.clock.now() + 60 * DAY,
    })
    expect(world.control.inspectToken({ token: one.credential.accessToken }).valid).toBe(true)
  })

  test('is ended by itself when the account is removed', async () => {
    await using world = await metaWorld()
    const one = await system(world, 30 * 86_400)
    const successor = await refreshed(world, one)
    await world.provider.logout(one.account, [one.credential, successor.credential])
    expect(world.control.inspectToken({ token: successor.credential.accessToken }).valid).toBe(false)
    expect(asked(world).at(-1)).toBe('/oauth/revoke')
  })
})

describe.concurrent('tokens and apps that are over, each by its real cause', () => {
  const causes: [string, (world: World) => unknown, { kind: string; code: string }, 'dead' | 'unknown'][] = [
    [
      'the user removed the app',
      ({ control, app, user }) => control.removeApp({ appId: app.id, userId: user.id }),
      { kind: 'dead', code: 'META_ACCESS_REVOKED' },
      'dead',
    ],
    [
      'the user changed the password',
      ({ control, user }) => control.changePassword({ userId: user.id }),
      { kind: 'dead', code: 'META_SESSION_ENDED' },
      'dead',
    ],
    [
      'the user logged out',
      ({ control, user }) => control.logOut({ userId: user.id }),
      { kind: 'dead', code: 'META_TOKEN_INVALID' },
      'dead',
    ],
    [
      'the token expired',
      ({ control }) => control.advanceClock({ ms: 11 * DAY }),
      { kind: 'dead', code: 'META_TOKEN_EXPIRED' },
      'dead',
    ],
    [
      'a checkpoint',
      ({ control, user }) => control.setUser({ userId: user.id, checkpointed: true }),
      { kind: 'needs_action', code: 'META_CHECKPOINT' },
      'unknown',
    ],
    [
      'not confirmed',
      ({ control, user }) => control.setUser({ userId: user.id, confirmed: false }),
      { kind: 'needs_action', code: 'META_UNCONFIRMED' },
      'unknown',
    ],
    [
      'the app is disabled',
      ({ control, app }) => control.setAppStanding({ appId: app.id, standing: 'disabled' }),
      { kind: 'halt', code: 'META_APP_INVALID' },
      'unknown',
    ],
    [
      'the app is restricted',
      ({ control, app }) => control.setAppStanding({ appId: app.id, standing: 'restricted' }),
      { kind: 'halt', code: 'META_APP_BLOCKED' },
      'unknown',
    ],
    [
      'the secret was reset',
      ({ control, app }) => control.resetSecret({ appId: app.id }),
      { kind: 'halt', code: 'META_APP_SECRET_WRONG' },
      'unknown',
    ],
    [
      'the app is gone',
      ({ control }) => control.inject({ error: 'app_unknown', times: null }),
      { kind: 'halt', code: 'META_APP_INVALID' },
      'unknown',
    ],
    [
      'an outage',
      ({ control }) => control.inject({ error: 'service', times: null }),
      { kind: 'retry', code: 'PROVIDER_UNAVAILABLE' },
      'unknown',
    ],
    [
      'an error with a 200',
      ({ control }) => control.inject({ error: 'ok_with_error', times: null }),
      { kind: 'retry', code: 'PROVIDER_UNAVAILABLE' },
      'unknown',
    ],
  ]

  test.each(causes)('%s', async (_, cause, verdict, witness) => {
    await using world = await metaWorld()
    const { account, credential } = await subject(world)
    await cause(world)
    expect(await world.provider.refresh(account, credential)).toMatchObject(verdict)
    expect(await world.provider.confirmDead(account, credential)).toBe(witness)
  })

  test('the user has not used the app for 90 days', async () => {
    await using world = await metaWorld()
    const one = await subject(world)
    const successor = await refreshed(world, one)
    world.control.advanceClock({ ms: 41 * DAY })
    const account = { ...one.account, diesAt: successor.diesAt }
    expect(await world.provider.refresh(account, successor.credential)).toMatchObject({
      kind: 'dead',
      code: 'META_INACTIVE',
    })
    expect(await world.provider.confirmDead(account, successor.credential)).toBe('dead')
  })

  test('a 190 that the witness does not confirm', async () => {
    await using world = await metaWorld()
    const { account, credential } = await subject(world)
    world.control.inject({ path: /access_token/, error: 'token_unknown' })
    expect(await world.provider.refresh(account, credential)).toMatchObject({
      kind: 'dead',
      code: 'META_TOKEN_INVALID',
    })
    expect(await world.provider.confirmDead(account, credential)).toBe('alive')
  })

  test('a token that we have damaged', async () => {
    await using world = await metaWorld()
    const { account, credential } = await subject(world)
    const damaged = { ...credential, accessToken: credential.accessToken.slice(0, -20) }
    const answer = await world.provider.refresh(account, damaged)
    expect(answer).toMatchObject({ kind: 'dead', code: 'META_TOKEN_INVALID' })
    expect(JSON.stringify(answer)).not.toContain(damaged.accessToken.slice(0, 40))
  })
})

describe.concurrent('the probe of the app', () => {
  test.each<[string, (world: World) => unknown, unknown]>([
    ['accepted', () => {}, 'accepted'],
    [
      'the secret was reset',
      ({ control, app }) => control.resetSecret({ appId: app.id }),
      { code: 'META_APP_SECRET_WRONG' },
    ],
    [
      'disabled',
      ({ control, app }) => control.setAppStanding({ appId: app.id, standing: 'disabled' }),
      { code: 'META_APP_INVALID' },
    ],
    [
      'restricted',
      ({ control, app }) => control.setAppStanding({ appId: app.id, standing: 'restricted' }),
      { code: 'META_APP_BLOCKED' },
    ],
    [
      'only calls with the app token are blocked',
      ({ control }) => control.inject({ path: /debug_token/, error: 'app_restricted' }),
      { code: 'META_APP_BLOCKED' },
    ],
    ['an outage', ({ control }) => control.inject({ error: 'unknown' }), { kind: 'retry' }],
  ])('%s', async (_, cause, outcome) => {
    await using world = await metaWorld()
    cause(world)
    const answer = await world.provider.probeApp()
    expect(answer).toEqual(typeof outcome === 'string' ? outcome : expect.objectContaining(outcome))
  })
})

describe.concurrent('what answers tell besides', () => {
  test('a version that is answered by another is told of once', async () => {
    await using world = await metaWorld()
    const told: VersionDrift[] = []
    const onDrift = (drift: VersionDrift) => void told.push(drift)
    const provider = createMetaProvider({ ...world.options, graphVersion: 'v20.0', onDrift })
    const { account, credential } = await subject(world)
    await provider.refresh(account, credential)
    await provider.refresh(account, credential)
    expect(told).toEqual([{ asked: 'v20.0', answered: 'v21.0' }])
  })

  test('the version that was asked for is not worth a word', async () => {
    await using world = await metaWorld()
    const told: VersionDrift[] = []
    const provider = createMetaProvider({ ...world.options, onDrift: (drift) => void told.push(drift) })
    expect(await provider.probeApp()).toBe('accepted')
    expect(told).toEqual([])
  })

  test('usage, and what it comes to when it is spent', async () => {
    await using world = await metaWorld()
    const seen: [Usage, unknown][] = []
    const provider = createMetaProvider({ ...world.options, onUsage: (usage, of) => void seen.push([usage, of]) })
    const { account, credential } = await subject(world)
    world.control.setBudget({ appId: world.app.id, app: 2 })
    await provider.refresh(account, credential)
    const [usage, of] = seen.at(-1)!
    expect(usage).toMatchObject({ app: { calls: 50 }, assets: [] })
    expect(of).toEqual({ platform: 'meta', appId: world.app.id })
    await provider.refresh(account, credential)
    expect(await provider.refresh(account, credential)).toMatchObject({
      kind: 'snooze',
      code: 'PROVIDER_RATE_LIMITED',
      scope: 'app',
      until: world.clock.now() + HOUR,
    })
    expect(seen).toHaveLength(3)
    world.control.advanceClock({ ms: HOUR + MINUTE })
    expect((await provider.refresh(account, credential)).kind).toBe('refreshed')
  })
})

describe.concurrent('removal', () => {
  test("takes back the app's permissions, with the newest token", async () => {
    await using world = await metaWorld()
    const one = await subject(world)
    const successor = await refreshed(world, one)
    world.control.advanceClock({ ms: 11 * DAY })
    await world.provider.logout(one.account, [one.credential, successor.credential])
    expect(world.control.requests().requests.at(-1)).toMatchObject({ method: 'DELETE', status: 200 })
    expect(world.control.inspectToken({ token: successor.credential.accessToken })).toMatchObject({
      valid: false,
      error: { subcode: 458 },
    })
  })

  test('that fails is told of, without the token; one that finds nothing to take back is not', async () => {
    await using world = await metaWorld()
    const { account, credential } = await subject(world)
    const logged: unknown[] = []
    const log = (...entry: unknown[]) => void logged.push(entry)
    const provider = createMetaProvider({ ...world.options, log })
    await provider.logout(account, [credential])
    await provider.logout(account, [credential])
    expect(logged).toEqual([])
    await using proxy = await startFaultProxy({ target: world.options.graphUrl })
    proxy.fault({ kind: 'status', status: 502, body: credential.accessToken })
    await createMetaProvider({ ...world.options, graphUrl: proxy.url, log }).logout(account, [credential])
    expect(logged).toEqual([['log-out failed', expect.objectContaining({ code: 'PROVIDER_UNAVAILABLE' })]])
    expect(JSON.stringify(logged)).not.toContain(credential.accessToken)
  })
})
