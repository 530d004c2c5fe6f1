import { HOUR, MINUTE } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { type Answer, createTestWorld, errorOf, type TestWorld } from './world.ts'

const appUsage = ({ headers }: Answer) => JSON.parse(headers.get('x-app-usage') ?? 'null')

async function withPageToken(): Promise<TestWorld & { token: string; pageId: string; pageToken: string }> {
  const world = await createTestWorld()
  const pageId = world.addPage()
  const token = world.connect()
  return { ...world, token, pageId, pageToken: (await world.accounts(token)).body.data[0].access_token }
}

test('an app has 200 calls an hour for each user; the header comes with enough traffic', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  const me = () => world.get('/me', { access_token: token })
  expect((await me()).headers.has('x-app-usage')).toBe(false)
  expect(appUsage(await me())).toEqual({ call_count: 1, total_cputime: 0, total_time: 0 })
  for (let calls = 2; calls < 199; calls += 1) await me()
  const last = await me()
  expect(last.status).toBe(200)
  expect(appUsage(last).call_count).toBe(100)
  const refused = await me()
  expect(refused.status).toBe(403)
  expect(errorOf(refused)).toEqual({
    message: '(#4) Application request limit reached',
    type: 'OAuthException',
    code: 4,
    is_transient: true,
  })
  expect(appUsage(refused).call_count).toBe(100)
  expect(refused.headers.has('retry-after')).toBe(false)

  const { id: userId } = world.control.createUser()
  world.control.grant({ appId: world.app.id, userId })
  expect((await me()).status).toBe(200)
})

test.each([
  ['app', 403, 4],
  ['custom', 400, 613],
  ['user', 400, 17],
] as const)('a spent %s budget refuses until its calls are an hour old', async (which, status, code) => {
  await using world = await withPageToken()
  const me = () => world.get('/me', { access_token: world.token })
  world.control.advanceClock({ ms: HOUR })
  world.control.setBudget({ appId: world.app.id, [which]: 2 })
  expect((await me()).status).toBe(200)
  world.control.advanceClock({ ms: 30 * MINUTE })
  expect((await me()).status).toBe(200)
  const refused = await me()
  expect(refused.status).toBe(status)
  expect(errorOf(refused).code).toBe(code)
  world.control.advanceClock({ ms: 60 * MINUTE })
  expect((await me()).status).toBe(200)
})

test('refused calls count: who goes on calling stays refused', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  world.control.setBudget({ appId: world.app.id, app: 1 })
  await world.accounts(token)
  for (let tenths = 0; tenths < 12; tenths += 1) {
    expect(errorOf(await world.accounts(token)).code).toBe(4)
    world.control.advanceClock({ ms: 10 * MINUTE })
  }
  world.control.advanceClock({ ms: HOUR })
  expect((await world.accounts(token)).status).toBe(200)
})

test('an app-wide limit refuses exchange and debug_token too', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  world.control.setBudget({ appId: world.app.id, app: 0 })
  expect(errorOf(await world.exchange(token)).code).toBe(4)
  expect(errorOf(await world.get('/debug_token', { input_token: token, access_token: world.appToken })).code).toBe(4)
})

test("a Page's budget is its own, and says when it returns", async () => {
  await using world = await withPageToken()
  world.control.setBudget({ appId: world.app.id, page: 2 })
  const read = () => world.get('/me', { access_token: world.pageToken })
  const usage = ({ headers }: Answer) => JSON.parse(headers.get('x-business-use-case-usage')!)
  expect(usage(await read())).toEqual({
    [world.pageId]: [
      { type: 'pages', call_count: 50, total_cputime: 25, total_time: 25, estimated_time_to_regain_access: 0 },
    ],
  })
  world.control.advanceClock({ ms: 20 * MINUTE })
  await read()
  const refused = await read()
  expect(errorOf(refused)).toMatchObject({ code: 32, message: '(#32) Page request limit reached' })
  const [entry] = usage(refused)[world.pageId]
  // The first call, of 20 minutes ago, leaves two; it takes one more.
  expect(entry).toMatchObject({ call_count: 100, estimated_time_to_regain_access: 60 })
  expect((await world.get('/me', { access_token: world.token })).status).toBe(200)
  world.control.advanceClock({ ms: entry.estimated_time_to_regain_access * MINUTE })
  expect((await read()).status).toBe(200)
})
