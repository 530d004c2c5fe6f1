import { DAY, HOUR } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { createTestWorld, errorOf, REDIRECT, START, type TestWorld } from './world.ts'

const LONG = (60 * DAY) / 1_000

describe.each([
  { family: 'instagram', prefix: 'ig', type: 'IGApiException', starts: /^IGAA/ },
  { family: 'threads', prefix: 'th', type: 'THApiException', starts: /^THAA/ },
] as const)('$family', ({ family, prefix, type, starts }) => {
  const world = () => createTestWorld(family)
  const refresh = (one: TestWorld, access_token: string) =>
    one.get('/refresh_access_token', { grant_type: `${prefix}_refresh_token`, access_token })
  const exchange = (one: TestWorld, access_token: string, client_secret = one.app.secret) =>
    one.get('/access_token', { grant_type: `${prefix}_exchange_token`, client_secret, access_token })
  const codeForm = (one: TestWorld) => {
    one.control.grant(one.both)
    const { code } = one.control.issueCode({ ...one.both, redirectUri: REDIRECT })
    return { ...one.client, grant_type: 'authorization_code', redirect_uri: REDIRECT, code }
  }
  const firstToken = (body: { data?: [{ access_token: string }]; access_token: string }) =>
    body.data?.[0].access_token ?? body.access_token

  test('code, token of an hour, token of 60 days, refreshes', async () => {
    await using one = await world()
    const short = firstToken((await one.post('/oauth/access_token', codeForm(one))).body)
    expect(short).toMatch(starts)
    expect(one.control.inspectToken({ token: short })).toMatchObject({ valid: true, expiresAt: START + HOUR })
    const { status, body } = await exchange(one, short)
    expect(status).toBe(200)
    expect(body).toEqual({ access_token: expect.stringMatching(starts), token_type: 'bearer', expires_in: LONG })
    one.control.advanceClock({ ms: 59 * DAY })
    const refreshed = (await refresh(one, body.access_token)).body
    expect(refreshed).toEqual({ access_token: expect.stringMatching(starts), token_type: 'bearer', expires_in: LONG })
    expect(refreshed.access_token).not.toBe(body.access_token)
    one.control.advanceClock({ ms: 59 * DAY })
    expect((await refresh(one, refreshed.access_token)).status).toBe(200)
  })

  test('no refresh within 24 hours, counted anew from each', async () => {
    await using one = await world()
    const token = one.connect()
    one.control.advanceClock({ ms: DAY - 1 })
    const early = await refresh(one, token)
    expect(early.status).toBe(400)
    expect(errorOf(early)).toMatchObject({ type, code: 100, message: expect.stringContaining('24 hours') })
    one.control.advanceClock({ ms: 1 })
    const { access_token } = (await refresh(one, token)).body
    expect(errorOf(await refresh(one, access_token))).toMatchObject({ code: 100 })
    one.control.advanceClock({ ms: DAY })
    expect((await refresh(one, access_token)).status).toBe(200)
  })

  test('a refresh may give the same token with a new end', async () => {
    await using one = await world()
    one.control.configure({ refreshedToken: 'same' })
    const token = one.connect()
    one.control.advanceClock({ ms: 50 * DAY })
    expect((await refresh(one, token)).body).toEqual({ access_token: token, token_type: 'bearer', expires_in: LONG })
    one.control.advanceClock({ ms: DAY - 1 })
    expect(errorOf(await refresh(one, token))).toMatchObject({ code: 100 })
    one.control.advanceClock({ ms: 58 * DAY })
    expect((await refresh(one, token)).status).toBe(200)
  })

  test('after 60 days without a refresh it is dead', async () => {
    await using one = await world()
    const token = one.connect()
    one.control.advanceClock({ ms: 60 * DAY })
    expect(errorOf(await refresh(one, token))).toMatchObject({ code: 190, error_subcode: 463 })
  })

  test('a short-lived token is not refreshed, a long-lived one not exchanged', async () => {
    await using one = await world()
    expect(errorOf(await refresh(one, one.connect(false)))).toMatchObject({ code: 100 })
    expect(errorOf(await exchange(one, one.connect()))).toMatchObject({ type: 'OAuthException', code: 190 })
  })

  test('the basic permission is needed', async () => {
    await using one = await world()
    const token = one.connect()
    one.control.advanceClock({ ms: DAY })
    const permission = family === 'instagram' ? 'instagram_business_basic' : 'threads_basic'
    one.control.setPermission({ ...one.both, permission, status: 'declined' })
    expect(errorOf(await refresh(one, token))).toMatchObject({ code: 10 })
  })

  test('a wrong secret at the exchange: code 100', async () => {
    await using one = await world()
    const refused = await exchange(one, one.connect(false), 'wrong')
    expect(refused.status).toBe(400)
    expect(errorOf(refused)).toEqual({ type, code: 100, message: 'Error validating client secret' })
  })

  test('refresh needs no secret, and outlives its reset', async () => {
    await using one = await world()
    const token = one.connect()
    one.control.advanceClock({ ms: DAY })
    one.control.resetSecret({ appId: one.app.id })
    expect((await refresh(one, token)).status).toBe(200)
  })

  test('what is asked by POST and must be GET is refused, and the other way round', async () => {
    await using one = await world()
    const token = one.connect()
    one.control.advanceClock({ ms: DAY })
    const posted = await one.post('/refresh_access_token', {
      grant_type: `${prefix}_refresh_token`,
      access_token: token,
    })
    expect(posted.status).toBe(400)
    expect(errorOf(posted)).toEqual({ type, code: 100, message: 'Unsupported request - method type: post' })
    const got = await one.get('/oauth/access_token', codeForm(one))
    expect(errorOf(got)).toMatchObject({ code: 100, message: 'Unsupported request - method type: get' })
  })

  test('a wrong grant_type is refused', async () => {
    await using one = await world()
    const token = one.connect()
    const other = { grant_type: 'fb_exchange_token', client_secret: one.app.secret, access_token: token }
    expect(errorOf(await one.get('/access_token', other))).toMatchObject({ code: 100 })
    expect(errorOf(await one.get('/refresh_access_token', other))).toMatchObject({ code: 100 })
    const form = { ...codeForm(one), grant_type: 'other' }
    expect(errorOf(await one.post('/oauth/access_token', form))).toMatchObject({ code: 100 })
  })

  test('/me is the account, also with a version', async () => {
    await using one = await world()
    const access_token = one.connect()
    const me = (await one.get('/v1.0/me', { access_token, fields: 'id,username,name' })).body
    expect(me).toEqual({ id: one.user.id, username: 'example_user', name: 'Example user' })
    const other = await one.get('/123', { access_token })
    expect(errorOf(other)).toMatchObject({ code: 100, error_subcode: 33 })
  })

  test('tokens of another host family cannot be read', async () => {
    await using one = await world()
    const facebook = one.control.createApp()
    const user = one.control.createUser()
    const both = { appId: facebook.id, userId: user.id }
    one.control.grant(both)
    const { accessToken } = one.control.issueToken(both)
    expect(errorOf(await refresh(one, accessToken))).toMatchObject({ code: 190 })
  })

  test('the code may carry the end of the redirect, and is taken once', async () => {
    await using one = await world()
    const form = codeForm(one)
    expect((await one.post('/oauth/access_token', { ...form, code: `${form.code}#_` })).status).toBe(200)
    expect((await one.post('/oauth/access_token', form)).status).toBe(400)
  })
})

test("both shapes of Instagram's code answer", async () => {
  await using one = await createTestWorld('instagram')
  const ask = async () => {
    one.control.grant({ ...one.both, permissions: ['instagram_business_content_publish'] })
    const { code } = one.control.issueCode({ ...one.both, redirectUri: REDIRECT })
    const form = { ...one.client, grant_type: 'authorization_code', redirect_uri: REDIRECT, code }
    return (await one.post('/oauth/access_token', form)).body
  }
  const permissions = ['instagram_business_basic', 'instagram_business_content_publish']
  const access_token = expect.any(String)
  expect(await ask()).toEqual({ data: [{ access_token, user_id: one.user.id, permissions: permissions.join() }] })
  one.control.configure({ instagramCodeAnswer: 'flat' })
  expect(await ask()).toEqual({ access_token, user_id: Number(one.user.id), permissions })
})

test("Instagram's errors at the code exchange", async () => {
  await using one = await createTestWorld('instagram')
  one.control.grant(one.both)
  const { code } = one.control.issueCode({ ...one.both, redirectUri: REDIRECT })
  const form = { ...one.client, grant_type: 'authorization_code', redirect_uri: REDIRECT, code }
  const error = async (change: Record<string, string>) =>
    (await one.post('/oauth/access_token', { ...form, ...change })).body
  const shape = { error_type: 'OAuthException', code: 400 }
  const gone = 'Matching code was not found or was already used'
  expect(await error({ code: 'AQx' })).toEqual({ ...shape, error_message: gone })
  expect(await error({ redirect_uri: `${REDIRECT}/` })).toEqual({ ...shape, error_message: gone })
  expect(await error({ client_id: '1' })).toEqual({ ...shape, error_message: 'Invalid platform app' })
  expect(await error({ client_secret: 'wrong' })).toEqual({
    ...shape,
    error_message: 'Error validating client secret.',
  })
  one.control.advanceClock({ ms: HOUR })
  expect(await error({})).toEqual({ ...shape, error_message: gone })
})

test("Threads' errors at the code exchange", async () => {
  await using one = await createTestWorld('threads')
  one.control.grant(one.both)
  const { code } = one.control.issueCode({ ...one.both, redirectUri: REDIRECT })
  const form = { ...one.client, grant_type: 'authorization_code', redirect_uri: REDIRECT, code }
  const error = async (change: Record<string, string>) =>
    (await one.post('/oauth/access_token', { ...form, ...change })).body
  expect(await error({ code: 'AQx' })).toEqual({ error_message: 'An unknown error has occurred.', error_code: 1 })
  expect(await error({ client_id: '1' })).toMatchObject({ error_code: 1349026 })
  expect((await error({ client_secret: 'wrong' })).error).toMatchObject({
    code: 1,
    message: 'Error validating client secret.',
  })
})
