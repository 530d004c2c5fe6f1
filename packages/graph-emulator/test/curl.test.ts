import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { clickThrough } from '../src/index.ts'
import { createTestWorld, REDIRECT } from './world.ts'

const run = promisify(execFile)

/** What curl prints, as JSON. */
async function curl(...args: string[]) {
  return JSON.parse((await run('curl', ['--silent', '--show-error', ...args])).stdout)
}

// The examples of Meta's documentation, with their spelling of options; only the host is another.

test('Facebook Login: dialog, code, long-lived token, Pages, debug_token', async () => {
  await using world = await createTestWorld()
  const pageId = world.addPage()
  const { app, url } = world
  const dialog = `${url}/v26.0/dialog/oauth?client_id=${app.id}&redirect_uri=${encodeURIComponent(REDIRECT)}&state={st=state123abc,ds=123456789}&scope=pages_show_list`
  const back = new URL(await clickThrough(dialog, world.user))
  expect(back.searchParams.get('state')).toBe('{st=state123abc,ds=123456789}')
  const code = back.searchParams.get('code')
  const short = await curl(
    '-X',
    'GET',
    `${url}/v26.0/oauth/access_token?client_id=${app.id}&redirect_uri=${REDIRECT}&client_secret=${app.secret}&code=${code}`,
  )
  expect(short).toMatchObject({ token_type: 'bearer', expires_in: 5400 })

  const long = await curl(
    '-X',
    'GET',
    `${url}/v26.0/oauth/access_token?grant_type=fb_exchange_token&client_id=${app.id}&client_secret=${app.secret}&fb_exchange_token=${short.access_token}`,
  )
  expect(long).toMatchObject({ token_type: 'bearer', expires_in: 5_184_000 })

  const pages = await curl('-X', 'GET', `${url}/v26.0/${world.user.id}/accounts?access_token=${long.access_token}`)
  expect(pages.data).toMatchObject([{ id: pageId, access_token: expect.any(String) }])

  const debug = await curl(
    '-G',
    '-d',
    `input_token=${long.access_token}`,
    '-d',
    `access_token=${app.id}|${app.secret}`,
    `${url}/debug_token`,
  )
  expect(debug.data).toMatchObject({ is_valid: true, app_id: app.id, user_id: world.user.id })

  expect(
    await curl('-X', 'DELETE', '-d', `access_token=${long.access_token}`, `${url}/v26.0/${world.user.id}/permissions`),
  ).toEqual({ success: true })
  const refused = await curl('-G', '-d', `access_token=${long.access_token}`, `${url}/v26.0/me`)
  expect(refused.error).toMatchObject({ code: 190, error_subcode: 458 })
})

test('the app token', async () => {
  await using world = await createTestWorld()
  const { app, url } = world
  const answer = await curl(
    '-X',
    'GET',
    `${url}/oauth/access_token?client_id=${app.id}&client_secret=${app.secret}&grant_type=client_credentials`,
  )
  expect(answer).toEqual({ access_token: expect.stringContaining(`${app.id}|`), token_type: 'bearer' })
})

test.each([
  ['instagram', 'ig'],
  ['threads', 'th'],
] as const)('%s: code, long-lived token, refresh', async (family, prefix) => {
  await using world = await createTestWorld(family)
  const { app, url } = world
  const dialog = `${url}/oauth/authorize?client_id=${app.id}&redirect_uri=${REDIRECT}&response_type=code&scope=${family === 'instagram' ? 'instagram_business_basic' : 'threads_basic'}`
  const code = new URL(await clickThrough(dialog, world.user)).searchParams.get('code')
  const form = family === 'instagram' ? '-F' : '-d'
  const answer = await curl(
    '-X',
    'POST',
    `${url}/oauth/access_token`,
    ...[
      `client_id=${app.id}`,
      `client_secret=${app.secret}`,
      'grant_type=authorization_code',
      `redirect_uri=${REDIRECT}`,
      `code=${code}`,
    ].flatMap((field) => [form, field]),
  )
  const short = answer.data?.[0].access_token ?? answer.access_token
  const long = await curl(
    '-X',
    'GET',
    `${url}/access_token?grant_type=${prefix}_exchange_token&client_secret=${app.secret}&access_token=${short}`,
  )
  expect(long).toMatchObject({ token_type: 'bearer', expires_in: 5_184_000 })
  world.control.advanceClock({ ms: 86_400_000 })
  const refreshed = await curl(
    '-X',
    'GET',
    `${url}/refresh_access_token?grant_type=${prefix}_refresh_token&access_token=${long.access_token}`,
  )
  expect(refreshed).toMatchObject({ token_type: 'bearer', expires_in: 5_184_000 })
  expect(refreshed.access_token).not.toBe(long.access_token)
})
