import { DAY } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { createTestWorld, errorOf, START } from './world.ts'

test('tells all about a user token', async () => {
  await using world = await createTestWorld()
  const pageId = world.addPage()
  world.control.grant({ ...world.both, permissions: ['email', 'pages_show_list'], pages: [pageId] })
  const { accessToken } = world.control.issueToken(world.both)
  expect(await world.debug(accessToken)).toEqual({
    app_id: world.app.id,
    application: 'Example app',
    type: 'USER',
    is_valid: true,
    issued_at: START / 1_000,
    expires_at: (START + 60 * DAY) / 1_000,
    data_access_expires_at: (START + 90 * DAY) / 1_000,
    scopes: ['public_profile', 'email', 'pages_show_list'],
    granular_scopes: [{ scope: 'pages_show_list', target_ids: [pageId] }],
    user_id: world.user.id,
  })
})

test('target_ids is absent where all Pages are covered', async () => {
  await using world = await createTestWorld()
  const { granular_scopes } = await world.debug(world.connect(true, ['pages_show_list']))
  expect(granular_scopes).toEqual([{ scope: 'pages_show_list' }])
})

test('tells of a Page token and of an app token', async () => {
  await using world = await createTestWorld()
  const pageId = world.addPage()
  const [row] = (await world.accounts(world.connect())).body.data
  expect(await world.debug(row.access_token)).toMatchObject({
    type: 'PAGE',
    profile_id: pageId,
    user_id: world.user.id,
    expires_at: 0,
    data_access_expires_at: (START + 90 * DAY) / 1_000,
  })
  expect(await world.debug(world.appToken)).toEqual({
    type: 'APP',
    app_id: world.app.id,
    application: 'Example app',
    is_valid: true,
  })
})

test('what is wrong with the token that is asked about is no error of the call', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  await world.control.removeApp(world.both)
  expect(await world.debug(token)).toMatchObject({
    is_valid: false,
    error: { code: 190, subcode: 458, message: expect.stringContaining(world.app.id) },
    scopes: [],
  })
  expect(await world.debug('nonsense')).toEqual({
    is_valid: false,
    scopes: [],
    error: { code: 190, message: 'Malformed access token nonsense' },
  })
})

test('what is wrong with the asking token is', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  const as = (access_token: string) => world.get('/debug_token', { input_token: token, access_token })
  expect(errorOf(await as(`${world.app.id}|wrong`))).toMatchObject({ code: 190 })
  expect(errorOf(await as('1|wrong'))).toMatchObject({ code: 101 })
  expect(errorOf(await as(token))).toMatchObject({
    code: 100,
    message: expect.stringContaining('You must provide an app access token'),
  })
  const other = world.control.createApp()
  expect(errorOf(await as(`${other.id}|${other.secret}`))).toMatchObject({ code: 100 })
  world.control.setAppStanding({ appId: world.app.id, standing: 'disabled' })
  expect(errorOf(await as(world.appToken))).toMatchObject({
    code: 190,
    message: expect.stringMatching(/^Error validating application/),
  })
})

test('a developer of the app may ask with a token of their own', async () => {
  await using world = await createTestWorld()
  const developer = world.control.createUser()
  const app = world.control.createApp({ developers: [developer.id] })
  const both = { appId: app.id, userId: developer.id }
  world.control.grant(both)
  const { accessToken } = world.control.issueToken(both)
  const { body } = await world.get('/debug_token', { input_token: accessToken, access_token: accessToken })
  expect(body.data).toMatchObject({ is_valid: true, user_id: developer.id })
})

test('only GET is answered', async () => {
  await using world = await createTestWorld()
  const refused = await world.post('/v26.0/debug_token', { input_token: world.connect(), access_token: world.appToken })
  expect(refused.status).toBe(400)
  expect(errorOf(refused)).toMatchObject({ code: 100, message: expect.stringMatching(/^Unsupported post request/) })
})
