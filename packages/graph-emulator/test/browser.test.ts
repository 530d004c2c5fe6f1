import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestWorld, type TestWorld } from './world.ts'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** Says so once if there is none; with TESTS_MUST_NOT_SKIP=1 that is a failure. */
function chromiumAvailable(): boolean {
  if (existsSync(CHROMIUM)) return true
  const message = `No Chromium at ${CHROMIUM} (CHROMIUM_PATH): the tests of the emulator's dialogs in a browser`
  if (process.env.TESTS_MUST_NOT_SKIP === '1') throw new Error(`${message} cannot run`)
  console.log(`${message} are left out`)
  return false
}

/** The app that the browser is sent back to. */
async function startClient() {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>Client</title><link rel="icon" href="data:,">Welcome back')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

describe.skipIf(!chromiumAvailable())('the dialogs in Chromium', () => {
  let browser: Browser
  let client: Awaited<ReturnType<typeof startClient>>
  beforeAll(async () => {
    const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
    const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet]
    ;[browser, client] = await Promise.all([chromium.launch({ executablePath: CHROMIUM, args }), startClient()])
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await client?.[Symbol.asyncDispose]()
  })

  async function openDialog(world: TestWorld, path: string, appId: string, scope: string) {
    const context = await browser.newContext()
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    const query = new URLSearchParams({ client_id: appId, redirect_uri: client.url, scope, state: 'st&te' })
    await page.goto(`${world.url}${path}?${query}`)
    return { page, complaints, [Symbol.asyncDispose]: () => context.close() }
  }

  async function logIn(page: Page, user: { email: string; password: string }) {
    await page.getByLabel('Email').fill(user.email)
    await page.getByLabel('Password').fill(user.password)
    await page.getByRole('button', { name: 'Log in' }).click()
  }

  test('log in, choose, continue: the code works', async () => {
    await using world = await createTestWorld()
    const app = world.control.createApp({ name: 'Cookie shop', redirectUris: [client.url] })
    const [kept, dropped] = [world.addPage({ name: 'Kept' }), world.addPage({ name: 'Dropped' })]
    await using opened = await openDialog(world, '/v26.0/dialog/oauth', app.id, 'email,pages_show_list')
    const { page } = opened
    await logIn(page, { ...world.user, password: 'wrong' })
    await page.getByText('The email or the password is wrong.').waitFor()
    // A failed login is answered with 401, of which Chromium tells.
    expect(opened.complaints.splice(0)).toEqual([expect.stringContaining('401')])
    await logIn(page, world.user)
    await page.getByRole('heading', { name: 'Cookie shop asks for access' }).waitFor()
    expect(await page.getByLabel('public_profile').isDisabled()).toBe(true)
    await page.getByLabel('email').uncheck()
    await page.getByLabel('Dropped').uncheck()
    await page.getByRole('button', { name: 'Continue as Example user' }).click()
    await page.getByText('Welcome back').waitFor()
    const back = new URL(page.url())
    expect(back.searchParams.get('state')).toBe('st&te')
    expect(back.hash).toBe('#_=_')

    const form = { client_id: app.id, client_secret: app.secret, redirect_uri: client.url }
    const { body } = await world.post('/v26.0/oauth/access_token', { ...form, code: back.searchParams.get('code')! })
    const rows = (await world.accounts(body.access_token)).body.data.map(({ id }: { id: string }) => id)
    expect(rows).toEqual([kept])
    expect(rows).not.toContain(dropped)
    const { data } = (await world.get('/me/permissions', { access_token: body.access_token })).body
    expect(data).toContainEqual({ permission: 'email', status: 'declined' })
    expect(opened.complaints).toEqual([])
  })

  test.each(['instagram', 'threads'] as const)(
    'cancel at %s; then again, still logged in, and continue',
    async (family) => {
      await using world = await createTestWorld(family)
      const app = world.control.createApp({ family, redirectUris: [client.url] })
      await using opened = await openDialog(world, '/oauth/authorize', app.id, '')
      const { page } = opened
      const dialog = page.url()
      await logIn(page, world.user)
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.getByText('Welcome back').waitFor()
      expect(new URL(page.url()).searchParams.get('error')).toBe('access_denied')

      await page.goto(new URL(dialog).searchParams.get('next')!.replace(/^/, world.url))
      await page.getByRole('button', { name: 'Continue as Example user' }).click()
      await page.getByText('Welcome back').waitFor()
      expect(new URL(page.url()).searchParams.get('code')).toMatch(/^AQ/)
      expect(opened.complaints).toEqual([])
    },
  )

  test('another user can log in instead', async () => {
    await using world = await createTestWorld()
    const other = world.control.createUser({ name: 'Other user' })
    const app = world.control.createApp({ redirectUris: [client.url] })
    await using opened = await openDialog(world, '/v26.0/dialog/oauth', app.id, 'email')
    await logIn(opened.page, world.user)
    await opened.page.getByRole('link', { name: 'Not you?' }).click()
    await logIn(opened.page, other)
    await opened.page.getByRole('button', { name: 'Continue as Other user' }).click()
    await opened.page.getByText('Welcome back').waitFor()
    expect(world.control.issueToken({ appId: app.id, userId: other.id }).accessToken).toMatch(/^EAA/)
  })

  test('the control page calls functions', async () => {
    await using world = await createTestWorld()
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(world.emulator.urls.control)
    await page.getByLabel('Function').selectOption('advanceClock')
    await page.getByText('Moves the clock forward, by ms.').waitFor()
    await page.getByLabel('Input (JSON)').fill('{"ms":1000}')
    const before = world.emulator.clock.now()
    await page.getByRole('button', { name: 'Call' }).click()
    await page.getByText(`"now": ${before + 1_000}`).waitFor()
    await context.close()
  })
})
