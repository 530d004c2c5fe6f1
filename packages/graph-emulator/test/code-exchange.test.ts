import { MINUTE } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { createTestWorld, errorOf, REDIRECT, type TestWorld } from './world.ts'

const PATH = '/v26.0/oauth/access_token'

function codeOf({ control, both }: TestWorld): string {
  control.grant(both)
  return control.issueCode({ ...both, redirectUri: REDIRECT }).code
}

test.each(['get', 'post'] as const)('a code becomes a short-lived token, by %s', async (method) => {
  await using world = await createTestWorld()
  const { status, body } = await world[method](PATH, { ...world.client, redirect_uri: REDIRECT, code: codeOf(world) })
  expect(status).toBe(200)
  expect(body).toEqual({
    access_token: expect.stringMatching(/^EAA[A-Za-z0-9]{100,}$/),
    token_type: 'bearer',
    expires_in: 5400,
  })
  const data = await world.debug(body.access_token)
  expect(data).toMatchObject({ is_valid: true, type: 'USER', user_id: world.user.id })
  expect(data).not.toHaveProperty('issued_at')
})

test('a code is taken once', async () => {
  await using world = await createTestWorld()
  const form = { ...world.client, redirect_uri: REDIRECT, code: codeOf(world) }
  await world.post(PATH, form)
  const again = await world.post(PATH, form)
  expect(again.status).toBe(400)
  expect(errorOf(again)).toEqual({
    message: 'This authorization code has been used.',
    type: 'OAuthException',
    code: 100,
    error_subcode: 36009,
  })
})

test('a code ends after ten minutes', async () => {
  await using world = await createTestWorld()
  const code = codeOf(world)
  world.control.advanceClock({ ms: 10 * MINUTE })
  const late = await world.post(PATH, { ...world.client, redirect_uri: REDIRECT, code })
  expect(errorOf(late)).toMatchObject({ code: 100, message: 'This authorization code has expired.' })
})

test('a code is worth nothing once the user removed the app', async () => {
  await using world = await createTestWorld()
  const code = codeOf(world)
  await world.control.removeApp(world.both)
  const refused = await world.post(PATH, { ...world.client, redirect_uri: REDIRECT, code })
  expect(errorOf(refused)).toMatchObject({ code: 190, error_subcode: 458 })
})

test('a refused exchange does not use the code up', async () => {
  await using world = await createTestWorld()
  const code = codeOf(world)
  const form = { ...world.client, redirect_uri: REDIRECT, code }
  expect((await world.post(PATH, { ...form, redirect_uri: `${REDIRECT}/` })).status).toBe(400)
  expect((await world.post(PATH, { ...form, client_secret: 'wrong' })).status).toBe(400)
  expect((await world.post(PATH, form)).status).toBe(200)
})

test.each([
  ['another redirect_uri', { redirect_uri: 'https://client.example/other' }, 100, /redirect_uri is identical/],
  ['no redirect_uri', { redirect_uri: undefined }, 191, /Missing redirect_uri parameter/],
  ['no client_id', { client_id: undefined }, 101, /Missing client_id parameter/],
  ['a client_id that is no number', { client_id: 'app' }, 101, /Invalid application ID/],
  ['an unknown app', { client_id: '1' }, 101, /Error validating application/],
  ['no secret', { client_secret: undefined }, 1, /Missing client_secret parameter/],
  ['a wrong secret', { client_secret: 'wrong' }, 1, /^Error validating client secret\.$/],
  ['no code', { code: undefined }, 1, /Missing authorization code/],
  ['a code that never was', { code: 'AQx' }, 100, /Invalid verification code format/],
  ['an unknown grant_type', { grant_type: 'password' }, 100, /grant_type/],
])('%s is refused', async (_, change, code, message) => {
  await using world = await createTestWorld()
  const form = { ...world.client, redirect_uri: REDIRECT, code: codeOf(world), ...change }
  const present = Object.fromEntries(Object.entries(form).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >
  const refused = await world.post(PATH, present)
  expect(refused.status).toBe(400)
  expect(errorOf(refused)).toMatchObject({ code, message: expect.stringMatching(message) })
})

test("another app's code is refused", async () => {
  await using world = await createTestWorld()
  const other = world.control.createApp({ redirectUris: [REDIRECT] })
  const client = { client_id: other.id, client_secret: other.secret }
  const refused = await world.post(PATH, { ...client, redirect_uri: REDIRECT, code: codeOf(world) })
  expect(errorOf(refused)).toMatchObject({ code: 100, message: 'Invalid verification code format.' })
})

test('client_credentials gives a token of the app, which ends with its secret', async () => {
  await using world = await createTestWorld()
  const { body } = await world.get('/oauth/access_token', { ...world.client, grant_type: 'client_credentials' })
  expect(body).toEqual({ access_token: expect.stringMatching(new RegExp(`^${world.app.id}\\|`)), token_type: 'bearer' })
  const token = world.connect()
  const asked = () => world.get('/debug_token', { input_token: token, access_token: body.access_token })
  expect((await asked()).body.data.is_valid).toBe(true)
  world.control.resetSecret({ appId: world.app.id })
  expect(errorOf(await asked())).toMatchObject({ code: 190, message: 'Invalid OAuth access token signature.' })
})
