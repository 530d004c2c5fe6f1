import { describe, expect, test } from 'vitest'
import { clickThrough } from '../src/index.ts'
import { createTestWorld, REDIRECT, type TestWorld } from './world.ts'

const PATHS = { facebook: '/v26.0/dialog/oauth', instagram: '/oauth/authorize', threads: '/oauth/authorize' }
const SCOPES = {
  facebook: 'email,pages_show_list pages_manage_posts',
  instagram: 'instagram_business_basic,instagram_business_content_publish',
  threads: 'threads_basic,threads_content_publish',
}
type Family = keyof typeof PATHS
const FAMILIES = Object.keys(PATHS) as Family[]

function dialogUrl(world: TestWorld, family: Family, change: Record<string, string> = {}): string {
  const query = { client_id: world.app.id, redirect_uri: REDIRECT, scope: SCOPES[family], state: 'a&b=c', ...change }
  return `${world.url}${PATHS[family]}?${new URLSearchParams(query)}`
}

describe.each(FAMILIES)('the dialog of %s', (family) => {
  test('sends code and state back', async () => {
    await using world = await createTestWorld(family)
    const back = new URL(await clickThrough(dialogUrl(world, family), world.user))
    expect(back.origin + back.pathname).toBe(REDIRECT)
    expect(back.searchParams.get('state')).toBe('a&b=c')
    expect(back.hash).toBe(family === 'facebook' ? '#_=_' : '#_')
    const form = { ...world.client, redirect_uri: REDIRECT, code: back.searchParams.get('code')! }
    const { status } = await world.post('/oauth/access_token', { ...form, grant_type: 'authorization_code' })
    expect(status).toBe(200)
  })

  test('sends no state where none came, and keeps the query of the redirect_uri', async () => {
    const redirect = `${REDIRECT}?tenant=1`
    await using world = await createTestWorld(family)
    const app = world.control.createApp({ family, redirectUris: [redirect] })
    const query = new URLSearchParams({ client_id: app.id, redirect_uri: redirect })
    const back = new URL(await clickThrough(`${world.url}${PATHS[family]}?${query}`, world.user))
    expect([...back.searchParams.keys()]).toEqual(['tenant', 'code'])
  })

  test('sends back that the user cancelled, and nothing is granted', async () => {
    await using world = await createTestWorld(family)
    const back = new URL(await clickThrough(dialogUrl(world, family), { ...world.user, cancel: true }))
    expect(Object.fromEntries(back.searchParams)).toEqual({
      error: 'access_denied',
      error_code: '200',
      error_description: 'Permissions error',
      error_reason: 'user_denied',
      state: 'a&b=c',
    })
    expect(() => world.control.issueToken(world.both)).toThrow(/has not let/)
  })

  test('leads nowhere for an app or a redirect_uri that is not known, or a disabled app', async () => {
    await using world = await createTestWorld(family)
    const refused = (change: Record<string, string>) => clickThrough(dialogUrl(world, family, change), world.user)
    await expect(refused({ client_id: '1' })).rejects.toThrow(/Invalid App ID|No application data/)
    await expect(refused({ redirect_uri: `${REDIRECT}/` })).rejects.toThrow(/URL Blocked|Blocked redirect/)
    await expect(refused({ scope: 'everything' })).rejects.toThrow('Invalid Scopes: everything.')
    await expect(refused({ response_type: 'token' })).rejects.toThrow('Unsupported response_type: token')
    world.control.setAppStanding({ appId: world.app.id, standing: 'disabled' })
    await expect(refused({})).rejects.toThrow(/App not active|No application data/)
  })

  test('takes the right login only', async () => {
    await using world = await createTestWorld(family)
    const url = dialogUrl(world, family)
    await expect(clickThrough(url, { ...world.user, password: 'wrong' })).rejects.toThrow(
      'The email or the password is wrong.',
    )
    const { password } = world.control.changePassword({ userId: world.user.id })
    await expect(clickThrough(url, world.user)).rejects.toThrow('The email or the password is wrong.')
    expect(await clickThrough(url, { ...world.user, password })).toContain('code=')
  })
})

test('declined permissions and Pages that were not chosen are kept out', async () => {
  await using world = await createTestWorld()
  const [chosen] = [world.addPage(), world.addPage()]
  const choice = { ...world.user, decline: ['email', 'public_profile'], pages: [chosen] }
  await clickThrough(dialogUrl(world, 'facebook'), choice)
  const { accessToken } = world.control.issueToken(world.both)
  expect((await world.get('/me/permissions', { access_token: accessToken })).body.data).toEqual([
    { permission: 'public_profile', status: 'granted' },
    { permission: 'pages_show_list', status: 'granted' },
    { permission: 'pages_manage_posts', status: 'granted' },
    { permission: 'email', status: 'declined' },
  ])
  expect((await world.accounts(accessToken)).body.data).toMatchObject([{ id: chosen }])
})

test('whoever ticks all Pages gives later ones too', async () => {
  await using world = await createTestWorld()
  world.addPage()
  await clickThrough(dialogUrl(world, 'facebook'), world.user)
  world.addPage()
  expect((await world.accounts(world.control.issueToken(world.both).accessToken)).body.data).toHaveLength(2)
})

test('a new consent adds to the old, keeps its tokens and begins the 90 days again', async () => {
  await using world = await createTestWorld()
  const token = world.connect(true, ['email'])
  world.control.advanceClock({ ms: 10 * 86_400_000 })
  await clickThrough(dialogUrl(world, 'facebook'), { ...world.user, decline: ['email'] })
  const data = await world.debug(token)
  expect(data.scopes).toEqual(['public_profile', 'pages_show_list', 'pages_manage_posts'])
  expect(data.data_access_expires_at * 1_000).toBe(world.emulator.clock.now() + 90 * 86_400_000)
})

test('the login leads to no other host, and the consent needs a login', async () => {
  await using world = await createTestWorld()
  for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example', '']) {
    const { headers } = await world.post('/login.php', { email: world.user.email, pass: world.user.password, next })
    expect(headers.get('location')).toBe('/')
  }
  const form = { client_id: world.app.id, redirect_uri: REDIRECT, decision: 'continue' }
  const refused = await world.post('/v26.0/dialog/oauth', form)
  expect(refused.status).toBe(400)
  expect(refused.body).toContain('You are not logged in any more.')
  const system = world.control.createUser({ systemUser: true })
  const { status } = await world.post('/login.php', { email: system.email, pass: system.password, next: '/' })
  expect(status).toBe(401)
})

test('what an app is called is shown, not run', async () => {
  await using world = await createTestWorld()
  const app = world.control.createApp({ name: '<script>alert(1)</script>', redirectUris: [REDIRECT] })
  const login = await world.post('/login.php', { email: world.user.email, pass: world.user.password, next: '/' })
  const query = new URLSearchParams({ client_id: app.id, redirect_uri: REDIRECT, state: '"><script>' })
  const cookie = login.headers.get('set-cookie')!
  const page = await (await fetch(`${world.url}/dialog/oauth?${query}`, { headers: { cookie } })).text()
  expect(page).toContain('&lt;script&gt;alert(1)')
  expect(page).not.toContain('<script>')
})
