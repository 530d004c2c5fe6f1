import { DAY } from '@tokenkeeper/core'
import { startFaultProxy } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { connectMeta, connectSystemUser, createMetaProvider, metaLoginUrl } from '../src/index.ts'
import { accountOf, logIn, metaWorld, REDIRECT } from './support/graph-world.ts'

describe.concurrent('a login at Meta', () => {
  test('ends with a long-lived token, and all that is known of it', async () => {
    await using world = await metaWorld()
    const now = world.clock.now()
    const login = await world.connect()
    expect(login).toEqual({
      platform: 'meta',
      providerAppId: world.app.id,
      externalId: world.user.id,
      displayName: 'A User',
      serviceUrl: null,
      issuer: null,
      scopes: expect.arrayContaining(['public_profile', 'pages_show_list', 'business_management']),
      credential: { accessToken: expect.stringMatching(/^EAA/), refreshToken: '' },
      accessExpiresAt: now + 60 * DAY,
      diesAt: now + 60 * DAY,
      dataAccessExpiresAt: now + 90 * DAY,
    })
    expect(world.control.inspectToken({ token: login.credential.accessToken })).toMatchObject({ longLived: true })
  })

  test('puts no secret but the inspected token into an address', async () => {
    await using world = await metaWorld()
    const login = await world.connect()
    const provider = createMetaProvider(world.options)
    await provider.refresh(accountOf(login), login.credential)
    await provider.pages.list(accountOf(login), login.credential)
    await provider.probeApp()
    await provider.logout(accountOf(login), [login.credential])
    const { requests } = world.control.requests()
    expect(requests.map(({ path }) => path)).toContain('/oauth/access_token')
    for (const { path, secretsInUrl } of requests) {
      expect(secretsInUrl, path).toEqual(path === '/debug_token' ? ['input_token'] : [])
    }
  })

  test('brings back the state, and asks for what it is told to ask for', async () => {
    await using world = await metaWorld()
    const request = { redirectUri: REDIRECT, state: 'a b&c=d', scopes: ['email', 'pages_show_list'] }
    const url = metaLoginUrl(world.options, request)
    expect(new URL(url).pathname).toBe('/v26.0/dialog/oauth')
    const { code, state } = await logIn(url, world.user)
    expect(state).toBe('a b&c=d')
    const { scopes } = await connectMeta(world.options, { code, redirectUri: REDIRECT })
    expect(scopes.toSorted()).toEqual(['email', 'pages_show_list', 'public_profile'])
  })

  test('keeps what was granted, not what was asked for', async () => {
    await using world = await metaWorld()
    const { scopes } = await world.connect(['pages_manage_posts'])
    expect(scopes).toContain('pages_show_list')
    expect(scopes).not.toContain('pages_manage_posts')
  })

  test.each(['#_=_', '#_'])('takes a code with %s behind it', async (fragment) => {
    await using world = await metaWorld()
    const code = await codeOf(world)
    const login = await connectMeta(world.options, { code: `${code}${fragment}`, redirectUri: REDIRECT })
    expect(login.externalId).toBe(world.user.id)
  })

  test('learns the end from debug_token where the answer does not tell it', async () => {
    await using world = await metaWorld()
    world.control.configure({ refreshMode: 'omit_expires_in' })
    expect(await world.connect()).toMatchObject({ diesAt: world.clock.now() + 60 * DAY })
  })
})

describe.concurrent('a login at Meta that fails', () => {
  test('a code that was used', async () => {
    await using world = await metaWorld()
    const code = await codeOf(world)
    await connectMeta(world.options, { code, redirectUri: REDIRECT })
    await expect(connectMeta(world.options, { code, redirectUri: REDIRECT })).rejects.toMatchObject({
      code: 'LOGIN_CODE_REFUSED',
    })
  })

  test('a code of another address', async () => {
    await using world = await metaWorld()
    const code = await codeOf(world)
    const error = await connectMeta(world.options, { code, redirectUri: `${REDIRECT}/2` }).catch((reason) => reason)
    expect(error).toMatchObject({ code: 'LOGIN_CODE_REFUSED' })
    expect(`${error.message} ${error.internal}`).not.toContain(code)
  })

  test.each([
    ['the secret is wrong', { secret: 'ffffffffffffffffffffffffffffffff' }, 'META_APP_SECRET_WRONG'],
    ['the app does not exist', { id: '404' }, 'META_APP_INVALID'],
  ])('%s', async (_, wrong, code) => {
    await using world = await metaWorld()
    const options = { ...world.options, app: { ...world.app, ...wrong } }
    const login = { code: await codeOf(world), redirectUri: REDIRECT }
    await expect(connectMeta(options, login)).rejects.toMatchObject({ code })
  })

  test('a lost answer is not asked for again', async () => {
    await using world = await metaWorld()
    await using proxy = await startFaultProxy({ target: world.options.graphUrl })
    proxy.fault({ kind: 'drop_answer' })
    const login = { code: await codeOf(world), redirectUri: REDIRECT }
    await expect(connectMeta({ ...world.options, graphUrl: proxy.url }, login)).rejects.toMatchObject({
      code: 'LOGIN_FAILED',
    })
    expect(proxy.requests).toHaveLength(1)
  })

  test.each(['/oauth/access_token', '/me', '/debug_token'])('%s fails on the way', async (path) => {
    await using world = await metaWorld()
    await using proxy = await startFaultProxy({ target: world.options.graphUrl })
    let seen = 0
    const match = (request: { path: string }) =>
      request.path.endsWith(path) && (path !== '/oauth/access_token' || ++seen === 2)
    proxy.fault({ kind: 'status', status: 502, match })
    const login = { code: await codeOf(world), redirectUri: REDIRECT }
    await expect(connectMeta({ ...world.options, graphUrl: proxy.url }, login)).rejects.toMatchObject({
      code: 'LOGIN_FAILED',
    })
  })
})

describe.concurrent('what debug_token tells of a login', () => {
  test.each([
    ['another app', { app_id: '404' }, 'LOGIN_REFUSED'],
    ['another user', { user_id: '404' }, 'PROVIDER_WRONG_ACCOUNT'],
    ['a token that is not valid', { is_valid: false }, 'LOGIN_REFUSED'],
  ])('%s', async (_, told, code) => {
    await using world = await metaWorld()
    const data = { is_valid: true, app_id: world.app.id, user_id: world.user.id, type: 'USER', ...told }
    world.control.inject({ path: /debug_token/, answer: { status: 200, body: { data } } })
    const login = { code: await codeOf(world), redirectUri: REDIRECT }
    await expect(connectMeta(world.options, login)).rejects.toMatchObject({ code })
  })
})

describe.concurrent("a system user's token", () => {
  test.each([
    ['that never ends', null, null],
    ['of 60 days', 60 * 86_400, 60 * DAY],
  ])('%s is kept as it is', async (_, expiresIn, livesMs) => {
    await using world = await metaWorld()
    const { token, userId } = systemUser(world, expiresIn)
    expect(await connectSystemUser(world.options, token)).toMatchObject({
      externalId: userId,
      issuer: 'business',
      credential: { accessToken: token, refreshToken: '' },
      diesAt: livesMs === null ? null : world.clock.now() + livesMs,
      dataAccessExpiresAt: null,
    })
  })

  test('of another app is refused', async () => {
    await using world = await metaWorld()
    const other = world.control.createApp({ family: 'facebook' })
    const { id } = world.control.createUser({ family: 'facebook', systemUser: true })
    world.control.grant({ appId: other.id, userId: id })
    const { accessToken } = world.control.issueToken({ appId: other.id, userId: id, expiresIn: null })
    await expect(connectSystemUser(world.options, accessToken)).rejects.toMatchObject({ code: 'LOGIN_FAILED' })
  })

  test.each(['garbage', `EAA${'x7Zq'.repeat(30)}`])('%s is refused', async (token) => {
    await using world = await metaWorld()
    await expect(connectSystemUser(world.options, token)).rejects.toMatchObject({ code: 'LOGIN_REFUSED' })
  })

  test("a Page's token is none", async () => {
    await using world = await metaWorld()
    const { id: pageId } = world.control.createPage()
    world.control.setRole({ userId: world.user.id, pageId })
    const login = await world.connect()
    const listing = await world.provider.pages.list(accountOf(login), login.credential)
    if (listing.kind !== 'pages') throw new Error(listing.code)
    await expect(connectSystemUser(world.options, listing.pages[0]!.token!)).rejects.toMatchObject({
      code: 'LOGIN_REFUSED',
    })
  })
})

type World = Awaited<ReturnType<typeof metaWorld>>

async function codeOf({ options, user }: World): Promise<string> {
  return (await logIn(metaLoginUrl(options, { redirectUri: REDIRECT, state: 's' }), user)).code
}

function systemUser({ control, app }: World, expiresIn: number | null) {
  const { id: userId } = control.createUser({ family: 'facebook', name: 'A system', systemUser: true })
  control.grant({ appId: app.id, userId })
  const { accessToken: token } = control.issueToken({ appId: app.id, userId, expiresIn })
  return { token, userId }
}
