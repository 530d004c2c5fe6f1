import { createHmac } from 'node:crypto'
import { MINUTE, SECOND } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { createTestWorld, errorOf, START } from './world.ts'

const hmac = (secret: string, message: string) => createHmac('sha256', secret).update(message).digest('hex')
const INVALID = {
  type: 'GraphMethodException',
  code: 100,
  message: 'Invalid appsecret_proof provided in the API argument',
}

test('is demanded where the app demands it, of user and Page tokens', async () => {
  await using world = await createTestWorld()
  world.addPage()
  const token = world.connect()
  world.control.requireProof({ appId: world.app.id, required: true })
  expect(errorOf(await world.accounts(token))).toMatchObject({
    type: 'GraphMethodException',
    code: 100,
    message: 'API calls from the server require an appsecret_proof argument',
  })
  const proven = await world.accounts(token, { appsecret_proof: hmac(world.app.secret, token) })
  const pageToken = proven.body.data[0].access_token
  expect(errorOf(await world.get('/me', { access_token: pageToken }))).toMatchObject({ code: 100 })
  const appsecret_proof = hmac(world.app.secret, pageToken)
  expect((await world.get('/me', { access_token: pageToken, appsecret_proof })).status).toBe(200)
  // Exchange and debug_token prove themselves by the secret.
  expect((await world.exchange(token)).status).toBe(200)
  expect((await world.debug(token)).is_valid).toBe(true)
})

test('is checked wherever it is given', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  const proofs = [
    '',
    'zz',
    hmac('other', token),
    hmac(world.app.secret, 'other'),
    hmac(world.app.secret, token).slice(2),
  ]
  for (const appsecret_proof of proofs) {
    expect(errorOf(await world.accounts(token, { appsecret_proof }))).toEqual(INVALID)
  }
  const appsecret_proof = hmac(world.app.secret, token)
  expect((await world.accounts(token, { appsecret_proof })).status).toBe(200)
  world.control.resetSecret({ appId: world.app.id })
  expect(errorOf(await world.accounts(token, { appsecret_proof }))).toEqual(INVALID)
})

test('next does not hold it', async () => {
  await using world = await createTestWorld()
  world.addPage()
  world.addPage()
  const token = world.connect()
  const { body } = await world.accounts(token, { limit: '1', appsecret_proof: hmac(world.app.secret, token) })
  expect(body.paging.next).not.toContain('appsecret')
})

test('with a time it holds for five minutes', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  const appsecret_time = String(START / SECOND)
  const timed = { appsecret_time, appsecret_proof: hmac(world.app.secret, `${token}|${appsecret_time}`) }
  expect((await world.accounts(token, timed)).status).toBe(200)
  expect(errorOf(await world.accounts(token, { ...timed, appsecret_time: String(START / SECOND + 1) }))).toEqual(
    INVALID,
  )
  const untimed = { appsecret_time, appsecret_proof: hmac(world.app.secret, token) }
  expect(errorOf(await world.accounts(token, untimed))).toEqual(INVALID)
  const noTime = { appsecret_time: 'now', appsecret_proof: hmac(world.app.secret, `${token}|now`) }
  expect(errorOf(await world.accounts(token, noTime))).toEqual(INVALID)
  world.control.advanceClock({ ms: 5 * MINUTE })
  expect((await world.accounts(token, timed)).status).toBe(200)
  world.control.advanceClock({ ms: SECOND })
  expect(errorOf(await world.accounts(token, timed))).toEqual(INVALID)
})
