import { describe, expect, test } from 'vitest'
import { digest } from '../src/index.ts'
import { ask, createTestWorld, START, type TestWorld } from './world.ts'

const call = ({ emulator }: TestWorld, name: string, input?: unknown, headers: Record<string, string> = {}) =>
  ask(`${emulator.urls.control}/${name}`, {
    method: 'POST',
    headers: { ...(input === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(input === undefined ? {} : { body: JSON.stringify(input) }),
  })

describe('over HTTP', () => {
  test('does what the functions do', async () => {
    await using world = await createTestWorld()
    const app = (await call(world, 'createApp', { id: '5', secret: 's' })).body
    expect(app).toEqual({ id: '5', secret: 's' })
    const both = { appId: '5', userId: world.user.id }
    expect((await call(world, 'grant', both)).body).toEqual({})
    const { accessToken } = (await call(world, 'issueToken', both)).body
    expect((await world.get('/me', { access_token: accessToken })).status).toBe(200)
    expect((await call(world, 'advanceClock', { ms: 500 })).body).toEqual({ now: START + 500 })
    expect((await call(world, 'clock')).body).toEqual({ now: START + 500 })
    expect((await call(world, 'removeApp', both)).body).toEqual({ callback: null })
    expect((await world.get('/me', { access_token: accessToken })).status).toBe(400)
  })

  test('tells what there is, to programs and to people', async () => {
    await using world = await createTestWorld()
    const { control } = world.emulator.urls
    const { body } = await ask(control)
    expect(Object.keys(body).sort()).toEqual(Object.keys(world.control).sort())
    expect(body.issueToken.input.required).toEqual(['appId', 'userId'])
    const page = await ask(control, { headers: { accept: 'text/html' } })
    expect(page.body).toContain('<option value="advanceClock"')
  })

  test('says what is wrong', async () => {
    await using world = await createTestWorld()
    const message = async (name: string, input?: unknown) => {
      const { status, body } = await call(world, name, input)
      return [status, body.error.message]
    }
    expect(await message('nonsense')).toEqual([400, 'There is no function nonsense.'])
    expect(await message('constructor')).toEqual([400, 'There is no function constructor.'])
    expect(await message('resetSecret', { appId: '7' })).toEqual([400, 'There is no app 7.'])
    expect(await message('resetSecret', {})).toEqual([400, expect.stringContaining('appId')])
    expect(await message('inject', { error: 'nonsense' })).toEqual([400, expect.stringContaining('error')])
    expect(await message('inject', { error: 'unknown', path: '(' })).toEqual([400, expect.any(String)])
  })

  test('refuses what a site in the same browser could send', async () => {
    await using world = await createTestWorld()
    expect((await call(world, 'clock', undefined, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await call(world, 'clock', undefined, { origin: world.emulator.urls.control })).status).toBe(200)
    const form = await ask(`${world.emulator.urls.control}/advanceClock`, {
      method: 'POST',
      body: new URLSearchParams({ ms: '1' }),
    })
    expect(form.status).toBe(400)
    expect(world.emulator.clock.now()).toBe(START)
  })
})

test('the log tells of every request, and holds no secret', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  const { count } = world.control.requests()
  await world.accounts(token)
  world.control.advanceClock({ ms: 5 })
  await world.exchange(token, { client_secret: 'wrong' })
  const { requests, count: later } = world.control.requests({ after: count })
  expect(later).toBe(count + 2)
  const common = { host: 'facebook', version: 'v26.0', tokenDigests: [digest(token)] }
  expect(requests).toEqual([
    {
      ...common,
      id: count + 1,
      at: START,
      method: 'GET',
      path: '/me/accounts',
      grantType: undefined,
      secretsInUrl: ['access_token'],
      status: 200,
      code: undefined,
      subcode: undefined,
    },
    {
      ...common,
      id: count + 2,
      at: START + 5,
      method: 'POST',
      path: '/oauth/access_token',
      grantType: 'fb_exchange_token',
      secretsInUrl: [],
      status: 400,
      code: 1,
      subcode: undefined,
    },
  ])
  expect(JSON.stringify(requests)).not.toContain(token)
  expect((await call(world, 'requests', { after: count })).body.requests).toHaveLength(2)
})

test('the log keeps the latest requests', async () => {
  await using world = await createTestWorld('facebook', { keptRequests: 3 })
  for (let index = 0; index < 8; index += 1) await world.get('/me')
  const { count, requests } = world.control.requests()
  expect(count).toBe(8)
  expect(requests.map(({ id }) => id)).toEqual([6, 7, 8])
})

test('a token can be looked into without a trace', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  expect(world.control.inspectToken({ token })).toEqual({
    valid: true,
    error: null,
    kind: 'user',
    appId: world.app.id,
    userId: world.user.id,
    pageId: null,
    issuedAt: START,
    expiresAt: START + 60 * 86_400_000,
    longLived: true,
  })
  world.control.changePassword({ userId: world.user.id })
  expect(world.control.inspectToken({ token })).toMatchObject({ valid: false, error: { code: 190, subcode: 460 } })
  expect(world.control.inspectToken({ token: 'nonsense' })).toMatchObject({ valid: false, kind: null })
  expect(world.control.inspectToken({ token: world.appToken })).toMatchObject({ valid: true, kind: 'app' })
  expect(world.control.requests().count).toBe(0)
})

test('ids are taken once, and must fit together', async () => {
  await using world = await createTestWorld()
  const { control, app, user } = world
  expect(() => control.createApp({ id: app.id })).toThrow('already')
  expect(() => control.createUser({ id: user.id })).toThrow('already')
  const { id } = control.createPage({})
  expect(() => control.createPage({ id })).toThrow('already')
  expect(() => control.setRole({ userId: user.id, pageId: '1' })).toThrow('There is no Page 1.')
  const other = control.createUser({ family: 'threads' })
  expect(() => control.grant({ appId: app.id, userId: other.id })).toThrow('different host families')
  expect(() => control.grant({ ...world.both, permissions: ['everything'] })).toThrow(
    'There is no permission everything.',
  )
  expect(() => control.engage(world.both)).toThrow('has not let')
  control.grant(world.both)
  expect(() => control.issueToken({ ...world.both, expiresIn: null })).toThrow('never expire')
  expect(() => control.issueCode({ ...world.both, redirectUri: 'https://evil.example' })).toThrow('redirectUri')
})
