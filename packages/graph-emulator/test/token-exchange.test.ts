import { DAY, MINUTE } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { createTestWorld, errorOf, START } from './world.ts'

const LONG = 60 * DAY

test('a short-lived token becomes one of 60 days; both work', async () => {
  await using world = await createTestWorld()
  const short = world.connect(false)
  world.control.advanceClock({ ms: MINUTE })
  const { status, body } = await world.exchange(short)
  expect(status).toBe(200)
  expect(body).toEqual({ access_token: expect.stringMatching(/^EAA/), token_type: 'bearer', expires_in: LONG / 1_000 })
  expect(body.access_token).not.toBe(short)
  expect(await world.debug(short)).toMatchObject({ is_valid: true })
  expect(await world.debug(body.access_token)).toMatchObject({
    is_valid: true,
    issued_at: (START + MINUTE) / 1_000,
    expires_at: (START + MINUTE + LONG) / 1_000,
  })
})

test.each([
  ['extends', LONG / 1_000, START + 10 * DAY + LONG],
  ['same_expiry', (LONG - 10 * DAY) / 1_000, START + LONG],
  ['omit_expires_in', undefined, START + 10 * DAY + LONG],
] as const)('a long-lived token is exchanged again: %s', async (refreshMode, expiresIn, end) => {
  await using world = await createTestWorld()
  const old = world.connect()
  world.control.configure({ refreshMode })
  world.control.advanceClock({ ms: 10 * DAY })
  const { body } = await world.exchange(old)
  expect(body.expires_in).toBe(expiresIn)
  expect('expires_in' in body).toBe(expiresIn !== undefined)
  expect(body.access_token).not.toBe(old)
  expect(await world.debug(body.access_token)).toMatchObject({ is_valid: true, expires_at: end / 1_000 })
  // The old one lives on to its own end.
  expect(await world.debug(old)).toMatchObject({ is_valid: true, expires_at: (START + LONG) / 1_000 })
})

test('same_expiry lengthens a short-lived token all the same', async () => {
  await using world = await createTestWorld()
  world.control.configure({ refreshMode: 'same_expiry' })
  expect((await world.exchange(world.connect(false))).body.expires_in).toBe(LONG / 1_000)
})

test('an expired token cannot be exchanged', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  world.control.advanceClock({ ms: LONG })
  const refused = await world.exchange(token)
  expect(refused.status).toBe(400)
  expect(errorOf(refused)).toEqual({
    message:
      'Error validating access token: Session has expired on Thursday, 21-Jan-27 04:00:00 PST. The current time is ' +
      'Thursday, 21-Jan-27 04:00:00 PST.',
    type: 'OAuthException',
    code: 190,
    error_subcode: 463,
  })
})

test('a token of another app, a Page token and no token are refused', async () => {
  await using world = await createTestWorld()
  world.addPage()
  const token = world.connect()
  const other = world.control.createApp()
  const foreign = await world.exchange(token, { client_id: other.id, client_secret: other.secret })
  expect(errorOf(foreign)).toMatchObject({ code: 190, message: 'Invalid OAuth access token.' })
  const pageToken = (await world.accounts(token)).body.data[0].access_token
  expect(errorOf(await world.exchange(pageToken))).toMatchObject({ code: 190 })
  expect(errorOf(await world.exchange(''))).toMatchObject({
    code: 1,
    message: 'fb_exchange_token parameter not specified',
  })
})

test("a system user's token never ends, or is extended by 60 days where that is asked for", async () => {
  await using world = await createTestWorld()
  const { control, app } = world
  const { id: userId } = control.createUser({ systemUser: true })
  control.grant({ appId: app.id, userId })
  const endless = control.issueToken({ appId: app.id, userId, expiresIn: null }).accessToken
  expect(await world.debug(endless)).toMatchObject({ type: 'SYSTEM_USER', expires_at: 0, data_access_expires_at: 0 })

  const ask60 = { set_token_expires_in_60_days: 'true' }
  const { body } = await world.exchange(endless, ask60)
  expect(body.expires_in).toBe(LONG / 1_000)
  control.advanceClock({ ms: 59 * DAY })
  expect((await world.exchange(body.access_token)).body.expires_in).toBe(DAY / 1_000)
  expect((await world.exchange(body.access_token, ask60)).body.expires_in).toBe(LONG / 1_000)

  control.advanceClock({ ms: 300 * DAY })
  expect((await world.exchange(endless)).body).not.toHaveProperty('expires_in')
  expect(await world.debug(endless)).toMatchObject({ is_valid: true })
})

test('a token can be revoked by itself', async () => {
  await using world = await createTestWorld()
  const [token, other] = [world.connect(), world.connect()]
  const revoke = (form: Record<string, string>) => world.post('/v26.0/oauth/revoke', { ...world.client, ...form })
  expect(errorOf(await revoke({ revoke_token: token }))).toMatchObject({ code: 100 })
  expect((await world.debug(token)).is_valid).toBe(true)
  expect((await revoke({ revoke_token: token, access_token: other })).body).toEqual({ success: true })
  expect((await world.debug(token)).error).toMatchObject({ code: 190, subcode: 467 })
  expect((await world.debug(other)).is_valid).toBe(true)
})
