import { FacebookAdsApi, Page, User } from 'facebook-nodejs-business-sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestWorld, type TestWorld } from './world.ts'

// Meta's own SDK. It knows one host, from a static getter; everything after that is as it came.
let world: TestWorld
const original = Object.getOwnPropertyDescriptor(FacebookAdsApi, 'GRAPH')!
beforeAll(async () => {
  world = await createTestWorld()
  Object.defineProperty(FacebookAdsApi, 'GRAPH', { ...original, get: () => world.url })
})
afterAll(async () => {
  Object.defineProperty(FacebookAdsApi, 'GRAPH', original)
  await world?.[Symbol.asyncDispose]()
})

const apiOf = (token: string) => FacebookAdsApi.init(token, 'en_US', false)

test('lists the accounts of a user, page by page, by its cursor', async () => {
  const ids = Array.from({ length: 5 }, (_, index) => world.addPage({ name: `Page ${index}` }))
  const user = new User('me', {}, undefined, apiOf(world.connect()))
  let cursor = await user.getAccounts(['id', 'name', 'access_token'], { limit: 2 })
  const seen = [...cursor]
  while (cursor.hasNext()) {
    cursor = await cursor.next()
    seen.push(...cursor)
  }
  expect(seen.map(({ id }) => id)).toEqual(ids)
  expect(seen.map(({ name }) => name)).toEqual(['Page 0', 'Page 1', 'Page 2', 'Page 3', 'Page 4'])
  expect(cursor.hasPrevious()).toBe(true)
  expect((await cursor.previous()).map(({ id }) => id)).toEqual(ids.slice(2, 4))

  const page = new Page(ids[0]!, {}, undefined, apiOf(seen[0]!.access_token))
  expect((await page.get(['id', 'name'])).name).toBe('Page 0')
})

test('asks debug_token', async () => {
  const token = world.connect()
  const { data } = await apiOf(world.appToken).call('GET', ['debug_token'], { input_token: token })
  expect(data).toMatchObject({ is_valid: true, type: 'USER', user_id: world.user.id, app_id: world.app.id })
})

test('exchanges a token by POST, as JSON', async () => {
  const token = world.connect(false)
  const form = { ...world.client, grant_type: 'fb_exchange_token', fb_exchange_token: token }
  const answer = await apiOf(token).call('POST', ['oauth', 'access_token'], form)
  expect(answer).toMatchObject({ token_type: 'bearer', expires_in: 5_184_000 })
})

test('decodes an error to its code and subcode', async () => {
  const token = world.connect()
  world.control.changePassword({ userId: world.user.id })
  const failure = new User('me', {}, undefined, apiOf(token)).getAccounts(['id'])
  await expect(failure).rejects.toMatchObject({
    name: 'FacebookRequestError',
    status: 400,
    message: expect.stringContaining('changed their password'),
    response: { code: 190, error_subcode: 460, type: 'OAuthException', fbtrace_id: expect.any(String) },
  })
})

test('decodes a limit, and its usage header', async () => {
  const token = world.connect()
  world.control.setBudget({ appId: world.app.id, app: 0 })
  const failure = new User('me', {}, undefined, apiOf(token)).get(['id'])
  await expect(failure).rejects.toMatchObject({ status: 403, response: { code: 4, is_transient: true } })
  await expect(failure).rejects.toHaveProperty('headers.x-app-usage', expect.stringContaining('100'))
  world.control.setBudget({ appId: world.app.id })
})
