import { DAY, HOUR, MINUTE } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { instagramLoginUrl, threadsLoginUrl } from '../src/index.ts'
import { accountOf, instagramWorld, logIn, REDIRECT, threadsWorld } from './support/graph-world.ts'

type World = Awaited<ReturnType<typeof instagramWorld>> | Awaited<ReturnType<typeof threadsWorld>>

const PLATFORMS = [
  { platform: 'instagram', open: instagramWorld },
  { platform: 'threads', open: threadsWorld },
] as const

async function subject(world: World, ageMs = 50 * DAY) {
  const login = await world.exchange(await world.getCode())
  world.control.advanceClock({ ms: ageMs })
  return { login, account: accountOf(login), credential: login.credential, provider: world.at(world.options.graphUrl) }
}

describe.concurrent.each(PLATFORMS)('$platform', ({ platform, open }) => {
  test('a login ends with a token of 60 days', async () => {
    await using world = await open()
    const login = await world.exchange(await world.getCode())
    expect(login).toMatchObject({
      platform,
      providerAppId: world.app.id,
      externalId: world.user.id,
      displayName: 'a_user',
      issuer: null,
      diesAt: world.clock.now() + 60 * DAY,
    })
    expect(world.control.inspectToken({ token: login.credential.accessToken })).toMatchObject({
      valid: true,
      longLived: true,
    })
  })

  test.each(['#_', ''])('a code with %j behind it', async (fragment) => {
    await using world = await open()
    expect(await world.exchange(`${await world.getCode()}${fragment}`)).toMatchObject({ externalId: world.user.id })
  })

  test('a wrong secret', async () => {
    await using world = await open()
    const code = await world.getCode()
    const error = await world.exchange(code, { ...world.app, secret: 'f'.repeat(32) }).catch((reason) => reason)
    expect(error).toMatchObject({ code: 'META_APP_SECRET_WRONG' })
    expect(`${error.message} ${error.internal}`).not.toContain(code)
  })

  test('an answer that was lost is not asked for again', async () => {
    await using world = await open()
    const code = await world.getCode()
    const { count } = world.control.requests()
    world.control.inject({ path: /oauth.access_token/, answer: { status: 502, body: '' } })
    await expect(world.exchange(code)).rejects.toMatchObject({ code: 'LOGIN_FAILED' })
    expect(world.control.requests().count).toBe(count + 1)
  })

  test('a token of the same day is refused, and the rule says when it is not', async () => {
    await using world = await open()
    const connectedAt = world.clock.now()
    const { account, credential, provider } = await subject(world, 23 * HOUR)
    expect((await provider.refresh(account, credential)).kind).toBe('bug')
    const earliest = provider.earliestRefreshAt!({ connectedAt, lastRefreshedAt: null })
    expect(earliest - connectedAt).toBeGreaterThanOrEqual(24 * HOUR)
    expect(earliest - connectedAt).toBeLessThan(25 * HOUR)
    world.control.advanceClock({ ms: earliest - world.clock.now() })
    expect((await provider.refresh(account, credential)).kind).toBe('refreshed')
  })

  test('the rule counts from the last refresh', async () => {
    await using world = await open()
    const rule = world.at(world.options.graphUrl).earliestRefreshAt!
    expect(rule({ connectedAt: 1, lastRefreshedAt: 5 * DAY })).toBe(
      rule({ connectedAt: 5 * DAY, lastRefreshedAt: null }),
    )
    // Connected anew since.
    expect(rule({ connectedAt: 9 * DAY, lastRefreshedAt: 5 * DAY })).toBe(10 * DAY + 5 * MINUTE)
  })

  test('the same string with a new end is a refresh', async () => {
    await using world = await open()
    const { account, credential, provider } = await subject(world)
    world.control.configure({ refreshedToken: 'same' })
    expect(await provider.refresh(account, credential)).toMatchObject({
      kind: 'refreshed',
      credential,
      diesAt: world.clock.now() + 60 * DAY,
      extension: 'extended',
    })
  })

  test.each<[string, (world: World) => unknown, object, 'dead' | 'unknown']>([
    [
      'the user removed the app',
      ({ control, app, user }) => control.removeApp({ appId: app.id, userId: user.id }),
      { kind: 'dead', code: 'META_ACCESS_REVOKED' },
      'dead',
    ],
    [
      'the token expired',
      ({ control }) => control.advanceClock({ ms: 11 * DAY }),
      { kind: 'dead', code: 'META_TOKEN_EXPIRED' },
      'dead',
    ],
    [
      'the app is blocked',
      ({ control, app }) => control.setAppStanding({ appId: app.id, standing: 'restricted' }),
      { kind: 'halt', code: 'META_APP_BLOCKED' },
      'unknown',
    ],
    [
      'the app is disabled',
      ({ control, app }) => control.setAppStanding({ appId: app.id, standing: 'disabled' }),
      { kind: 'halt', code: 'META_APP_INVALID' },
      'unknown',
    ],
    [
      'too many calls of the app',
      ({ control }) => control.inject({ error: 'app_limit', times: null }),
      { kind: 'snooze', scope: 'app' },
      'unknown',
    ],
    [
      'too many calls for the account',
      ({ control }) => control.inject({ error: 'business_limit_80002', times: null }),
      { kind: 'snooze', scope: 'asset' },
      'unknown',
    ],
    [
      'the permission is gone',
      ({ control }) => control.inject({ error: 'permission_10', times: null }),
      { kind: 'needs_action', code: 'META_PERMISSION_MISSING' },
      'unknown',
    ],
  ])('%s', async (_, cause, verdict, witness) => {
    await using world = await open()
    const { account, credential, provider } = await subject(world)
    await cause(world)
    expect(await provider.refresh(account, credential)).toMatchObject(verdict)
    expect(await provider.confirmDead(account, credential)).toBe(witness)
  })

  test('an answer without an end: no sooner than before', async () => {
    await using world = await open()
    const { account, credential, provider } = await subject(world)
    world.control.inject({ path: /refresh/, answer: { status: 200, body: { access_token: '{token}' } } })
    expect(await provider.refresh(account, credential)).toMatchObject({
      kind: 'refreshed',
      credential,
      diesAt: account.diesAt,
      extension: 'unknown',
    })
  })
})

describe.concurrent("the answers to Instagram's codes", () => {
  test.each(['data', 'flat'] as const)('%s', async (instagramCodeAnswer) => {
    await using world = await instagramWorld()
    world.control.configure({ instagramCodeAnswer })
    const login = await world.exchange(await world.getCode())
    expect(login.externalId).toBe(world.user.id)
    expect(login.scopes.toSorted()).toEqual(['instagram_business_basic', 'instagram_business_content_publish'])
  })

  test('an id that no number holds', async () => {
    await using world = await instagramWorld()
    const code = await world.getCode()
    const { accessToken } = world.control.issueToken({ appId: world.app.id, userId: world.user.id, longLived: false })
    const body = `{"access_token":"${accessToken}","user_id":17841405793187218,"permissions":["instagram_business_basic"]}`
    world.control.inject({ path: /oauth.access_token/, answer: { status: 200, body } })
    expect((await world.exchange(code)).externalId).toBe('17841405793187218')
  })

  test('a code that was used, in the words of Instagram', async () => {
    await using world = await instagramWorld()
    const code = await world.getCode()
    await world.exchange(code)
    await expect(world.exchange(code)).rejects.toMatchObject({ code: 'LOGIN_CODE_REFUSED' })
  })
})

test("a code that was used, in the words of Threads, which could be anything's", async () => {
  await using world = await threadsWorld()
  const code = await world.getCode()
  await world.exchange(code)
  await expect(world.exchange(code)).rejects.toMatchObject({ code: 'LOGIN_FAILED' })
})

test('a user who logs in brings back the state', async () => {
  await using instagram = await instagramWorld()
  await using threads = await threadsWorld()
  const request = { redirectUri: REDIRECT, state: 'a b&c=d' }
  expect((await logIn(instagramLoginUrl(instagram.options, request), instagram.user)).state).toBe('a b&c=d')
  expect((await logIn(threadsLoginUrl(threads.options, request), threads.user)).state).toBe('a b&c=d')
})
