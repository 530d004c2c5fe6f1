import { DAY } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { type Answer, createTestWorld, errorOf, type TestWorld } from './world.ts'

interface Cause {
  readonly name: string
  happen(world: TestWorld): unknown
  readonly code: number
  readonly subcode?: number
  readonly message: RegExp
}

const CAUSES: Cause[] = [
  {
    name: 'the user removes the app',
    happen: ({ control, both }) => control.removeApp(both),
    code: 190,
    subcode: 458,
    message: /has not authorized application \d+/,
  },
  {
    name: 'the user stands before a checkpoint',
    happen: ({ control, user }) => control.setUser({ userId: user.id, checkpointed: true }),
    code: 190,
    subcode: 459,
    message: /log in to www\.facebook\.com/,
  },
  {
    name: 'the user changes the password',
    happen: ({ control, user }) => control.changePassword({ userId: user.id }),
    code: 190,
    subcode: 460,
    message: /changed their password/,
  },
  {
    name: 'the token expires',
    happen: ({ control }) => control.advanceClock({ ms: 60 * DAY }),
    code: 190,
    subcode: 463,
    message: /Session has expired on/,
  },
  {
    name: 'the user is not confirmed',
    happen: ({ control, user }) => control.setUser({ userId: user.id, confirmed: false }),
    code: 190,
    subcode: 464,
    message: /not a confirmed user/,
  },
  {
    name: 'the user logs out',
    happen: ({ control, user }) => control.logOut({ userId: user.id }),
    code: 190,
    subcode: 467,
    message: /logged out/,
  },
  {
    name: 'the app is disabled',
    happen: ({ control, app }) => control.setAppStanding({ appId: app.id, standing: 'disabled' }),
    code: 190,
    message: /^Error validating application/,
  },
  {
    name: 'the app is restricted',
    happen: ({ control, app }) => control.setAppStanding({ appId: app.id, standing: 'restricted' }),
    code: 200,
    message: /^API access blocked\.$/,
  },
]

function expectCause(answer: Answer, { code, subcode, message }: Cause): void {
  expect(answer.status).toBe(400)
  const error = errorOf(answer)
  expect(error).toMatchObject({ code, type: 'OAuthException', message: expect.stringMatching(message) })
  expect(error.error_subcode).toBe(subcode)
}

describe.each(CAUSES)('$name', (cause) => {
  test('reads are refused', async () => {
    await using world = await createTestWorld()
    const token = world.connect()
    await cause.happen(world)
    expectCause(await world.get('/v26.0/me', { access_token: token }), cause)
    expectCause(await world.accounts(token), cause)
  })

  test.each(['instagram', 'threads'] as const)('and a refresh at %s', async (family) => {
    await using world = await createTestWorld(family)
    const access_token = world.connect()
    world.control.advanceClock({ ms: DAY })
    await cause.happen(world)
    const grant_type = family === 'instagram' ? 'ig_refresh_token' : 'th_refresh_token'
    expectCause(await world.get('/refresh_access_token', { grant_type, access_token }), cause)
  })
})

test('what heals, heals: a checkpoint passed, an app restored', async () => {
  await using world = await createTestWorld()
  const { control, app, user } = world
  const token = world.connect()
  control.setUser({ userId: user.id, checkpointed: true, confirmed: false })
  control.setUser({ userId: user.id, checkpointed: false, confirmed: true })
  control.setAppStanding({ appId: app.id, standing: 'disabled' })
  control.setAppStanding({ appId: app.id, standing: 'live' })
  expect((await world.accounts(token)).status).toBe(200)
})

test('what a new consent or login gives lives; the old stays dead', async () => {
  await using world = await createTestWorld()
  const { control, both, user } = world
  const removed = world.connect()
  await control.removeApp(both)
  const again = world.connect()
  expect((await world.debug(removed)).error).toMatchObject({ subcode: 458 })
  expect((await world.debug(again)).is_valid).toBe(true)
  control.changePassword({ userId: user.id })
  expect((await world.debug(again)).error).toMatchObject({ subcode: 460 })
  expect((await world.debug(world.connect())).is_valid).toBe(true)
})

test('data access lapses 90 days after the last use; no refresh renews it, using the app does', async () => {
  await using world = await createTestWorld()
  const { control, both } = world
  control.advanceClock({ ms: 0 })
  const first = world.connect()
  control.advanceClock({ ms: 50 * DAY })
  const second = (await world.exchange(first)).body.access_token
  control.advanceClock({ ms: 40 * DAY })
  const lapsed = await world.accounts(second)
  expect(errorOf(lapsed)).toMatchObject({
    code: 190,
    error_subcode: 493,
    message: "The access token is invalid since the user hasn't engaged the app in longer than 90 days.",
  })
  expect(errorOf(await world.exchange(second))).toMatchObject({ error_subcode: 493 })
  control.engage(both)
  expect((await world.accounts(second)).status).toBe(200)
  control.configure({ dataAccessLapses: false })
  const third = (await world.exchange(second)).body.access_token
  control.advanceClock({ ms: 59 * DAY })
  const fourth = (await world.exchange(third)).body.access_token
  control.advanceClock({ ms: 59 * DAY })
  expect(await world.debug(fourth)).toMatchObject({ is_valid: true, data_access_expires_at: 0 })
})

test('a reset secret: the old one is refused, reads without proof go on', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  const { secret } = world.control.resetSecret({ appId: world.app.id })
  const refused = await world.exchange(token)
  expect(refused.status).toBe(400)
  expect(errorOf(refused)).toEqual({ message: 'Error validating client secret.', type: 'OAuthException', code: 1 })
  expect((await world.accounts(token)).status).toBe(200)
  expect((await world.exchange(token, { client_secret: secret })).status).toBe(200)
})

test.each([
  ['disabled', 101, /^Error validating application/],
  ['restricted', 200, /^API access blocked\.$/],
] as const)('the token endpoint of a %s app', async (standing, code, message) => {
  await using world = await createTestWorld()
  const token = world.connect()
  world.control.setAppStanding({ appId: world.app.id, standing })
  expect(errorOf(await world.exchange(token))).toMatchObject({ code, message: expect.stringMatching(message) })
})

describe('a Page', () => {
  async function withPage() {
    const world = await createTestWorld()
    const pageId = world.addPage()
    const token = world.connect()
    const pageToken: string = (await world.accounts(token)).body.data[0].access_token
    return {
      ...world,
      pageId,
      token,
      pageToken,
      read: (access_token: string) => world.get(`/v26.0/${pageId}`, { access_token }),
    }
  }

  test.each([
    [
      'its role is lost',
      (world: Awaited<ReturnType<typeof withPage>>) =>
        world.control.setRole({ userId: world.user.id, pageId: world.pageId, tasks: null }),
    ],
    [
      'it is deleted',
      (world: Awaited<ReturnType<typeof withPage>>) => world.control.deletePage({ pageId: world.pageId }),
    ],
  ])('%s: its token is dead, its row gone, the user token fine', async (_, happen) => {
    await using world = await withPage()
    expect((await world.read(world.pageToken)).body).toMatchObject({ id: world.pageId })
    happen(world)
    expect(errorOf(await world.read(world.pageToken))).toMatchObject({ code: 190, error_subcode: 492 })
    expect(errorOf(await world.read(world.token))).toMatchObject({
      type: 'GraphMethodException',
      code: 100,
      error_subcode: 33,
      message: expect.stringContaining(`Object with ID '${world.pageId}' does not exist`),
    })
    expect((await world.accounts(world.token)).body.data).toEqual([])
    expect((await world.debug(world.pageToken)).error).toMatchObject({ code: 190, subcode: 492 })
  })

  test('its permissions are taken back: 190 without a subcode', async () => {
    await using world = await withPage()
    for (const permission of ['pages_show_list', 'pages_read_engagement', 'pages_manage_posts']) {
      world.control.setPermission({ ...world.both, permission, status: 'declined' })
    }
    const error = errorOf(await world.read(world.pageToken))
    expect(error).toMatchObject({ code: 190, message: expect.stringContaining("before impersonating a user's page") })
    expect(error).not.toHaveProperty('error_subcode')
    expect((await world.get('/v26.0/me', { access_token: world.token })).status).toBe(200)
  })

  test("it dies with the user's password and consent", async () => {
    await using world = await withPage()
    world.control.changePassword({ userId: world.user.id })
    expect(errorOf(await world.read(world.pageToken))).toMatchObject({ error_subcode: 460 })
    await world.control.removeApp(world.both)
    expect(errorOf(await world.read(world.pageToken))).toMatchObject({ error_subcode: 458 })
  })
})

test('tokens that are none: repeated as Meta does, or not to be read', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  const me = async (access_token: string) => world.get('/v26.0/me', { access_token })
  const malformed = await me('abc.def')
  expect(errorOf(malformed)).toMatchObject({ code: 190, message: 'Malformed access token abc.def' })
  expect(malformed.headers.get('www-authenticate')).toBe(
    'OAuth "Facebook Platform" "invalid_token" "Malformed access token abc.def"',
  )
  expect(errorOf(await me(token.slice(0, -1)))).toMatchObject({
    code: 190,
    message: 'Invalid OAuth access token - Cannot parse access token',
  })
  expect(errorOf(await me(''))).toMatchObject({ code: 2500 })
})
