import { DAY } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { createTestWorld, errorOf, START } from './world.ts'

const at = (date: string) => Date.parse(date) - START

test.each([
  ['/v26.0', 'v26.0'],
  ['/v21.0', 'v21.0'],
  ['/v20.0', 'v21.0'],
  ['/v3.2', 'v21.0'],
  ['', 'v21.0'],
])('a call to "%s" is answered by %s in November 2026', async (prefix, version) => {
  await using world = await createTestWorld()
  const { headers, status } = await world.get(`${prefix}/me`, { access_token: world.connect() })
  expect(status).toBe(200)
  expect(headers.get('facebook-api-version')).toBe(version)
})

test('versions end on their day', async () => {
  await using world = await createTestWorld()
  world.control.configure({ dataAccessLapses: false })
  const version = async () => (await world.get('/v21.0/me')).headers.get('facebook-api-version')
  world.control.advanceClock({ ms: at('2027-01-21T00:00:00Z') - 1 })
  expect(await version()).toBe('v21.0')
  world.control.advanceClock({ ms: 1 })
  expect(await version()).toBe('v22.0')
  world.control.advanceClock({ ms: 5_000 * DAY })
  expect(await version()).toBe('v26.0')
})

test('a version that does not exist is no path', async () => {
  await using world = await createTestWorld()
  const { headers, ...answer } = await world.get('/v27.0/me', { access_token: world.connect() })
  expect(errorOf({ ...answer, headers })).toMatchObject({ code: 2500, message: 'Unknown path components: /v27.0/me' })
  expect(headers.get('facebook-api-version')).toBe('v26.0')
})
