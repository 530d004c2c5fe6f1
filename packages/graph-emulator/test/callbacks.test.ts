import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { signRequest } from '../src/index.ts'
import { ask, createTestWorld, START } from './world.ts'

/** An app's callback address, which keeps the forms that are posted to it. */
async function listen(answer: string) {
  const forms: { path: string; form: URLSearchParams }[] = []
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('')
    forms.push({ path: request.url!, form: new URLSearchParams(body) })
    response.end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, forms, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}

/** As an app has to verify it. */
function verify(signedRequest: string, secret: string) {
  const [signature, payload] = signedRequest.split('.') as [string, string]
  const expected = createHmac('sha256', secret).update(payload).digest('base64url')
  expect(signature).toBe(expected)
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}

test('a removed app is told so, signed', async () => {
  await using app = await listen('')
  await using world = await createTestWorld()
  const { id: appId, secret } = world.control.createApp({ deauthorizeUrl: `${app.url}/deauthorize` })
  const both = { appId, userId: world.user.id }
  world.control.grant(both)
  const { callback } = await world.control.removeApp(both)
  expect(callback).toMatchObject({ kind: 'deauthorize', status: 200 })
  expect(app.forms).toMatchObject([{ path: '/deauthorize' }])
  expect(verify(app.forms[0]!.form.get('signed_request')!, secret)).toEqual({
    algorithm: 'HMAC-SHA256',
    user_id: world.user.id,
    issued_at: START / 1_000,
  })
})

test('also when the app has itself removed through the API', async () => {
  await using app = await listen('')
  await using world = await createTestWorld()
  const { id: appId } = world.control.createApp({ deauthorizeUrl: app.url })
  const both = { appId, userId: world.user.id }
  world.control.grant(both)
  const { accessToken } = world.control.issueToken(both)
  const url = `${world.url}/v26.0/me/permissions?access_token=${accessToken}`
  expect((await ask(url, { method: 'DELETE' })).body).toEqual({ success: true })
  await until(() => app.forms.length === 1, { what: 'the callback' })
})

test("a data deletion, and the app's answer", async () => {
  const answer = { url: 'https://client.example/deletion', confirmation_code: 'abc' }
  await using app = await listen(JSON.stringify(answer))
  await using world = await createTestWorld()
  const { id: appId, secret } = world.control.createApp({ dataDeletionUrl: app.url })
  const both = { appId, userId: world.user.id }
  const { callback } = await world.control.requestDataDeletion(both)
  expect(callback).toMatchObject({ kind: 'data_deletion', status: 200, answer })
  expect(verify(app.forms[0]!.form.get('signed_request')!, secret).user_id).toBe(world.user.id)
})

test('where nobody answers, or there is no address, nothing fails', async () => {
  const away = await listen('')
  await away[Symbol.asyncDispose]()
  await using world = await createTestWorld()
  const { id: appId } = world.control.createApp({ deauthorizeUrl: away.url })
  const both = { appId, userId: world.user.id }
  world.control.grant(both)
  const { callback } = await world.control.removeApp(both)
  expect(callback).toMatchObject({ url: away.url, error: expect.any(String) })
  expect(world.control.callbacks()).toEqual([callback])
  world.control.grant(world.both)
  expect(await world.control.removeApp(world.both)).toEqual({ callback: null })
})

test('a request is signed over the encoded payload', () => {
  const signed = signRequest({ user_id: '1', issued_at: 2 }, 'secret')
  // echo -n '{"algorithm":"HMAC-SHA256","user_id":"1","issued_at":2}' | basenc --base64url -w0 | tr -d = gives the payload; its openssl dgst -sha256 -hmac secret -binary, encoded alike, the signature
  const payload = 'eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsInVzZXJfaWQiOiIxIiwiaXNzdWVkX2F0IjoyfQ'
  expect(signed).toBe(`dHbKsW62sZfyyudH-NHBClytHob-XGf5fVnBm1ydR-8.${payload}`)
})
