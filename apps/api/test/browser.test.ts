import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { enqueueRefresh, startWorkers } from '@tokenkeeper/queue'
import { type Pds, type RedisServer, startPds, startRedis, until } from '@tokenkeeper/testkit'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAvailable, launchChromium } from './chromium.ts'
import { ADMIN_KEY, createWorld, type World } from './world.ts'

const IMAGES = fileURLToPath(new URL('../../../docs/images/', import.meta.url))

describe.skipIf(!chromiumAvailable())('Bull Board in Chromium', () => {
  let redis: RedisServer
  let pds: Pds
  let world: World
  let browser: Browser
  beforeAll(async () => {
    ;[redis, pds, browser] = await Promise.all([startRedis(), startPds(), launchChromium()])
    const hosts = [pds.url, pds.plcUrl].map((url) => new URL(url).host).join()
    world = await createWorld({ redisUrl: redis.url, env: { PLC_URL: pds.plcUrl, ALLOWED_PRIVATE_HOSTS: hosts } })
  })
  afterAll(async () => {
    await browser?.close()
    for (const one of [world, pds, redis]) await one?.[Symbol.asyncDispose]()
  })

  /** A browser of its own, which keeps what its pages asked for and complained about. */
  async function openPage(options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ viewport: { width: 1_100, height: 700 }, ...options })
    const page = await context.newPage()
    const hosts = new Set<string>()
    const complaints: string[] = []
    page.on('request', (request) => hosts.add(new URL(request.url()).host))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    return { context, page, hosts, complaints, [Symbol.asyncDispose]: () => context.close() }
  }

  async function logIn(page: Page, key: string): Promise<void> {
    await page.goto(`${world.url}/queues/`)
    await page.getByLabel('API key').fill(key)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.waitForURL(`${world.url}/queues/`)
  }

  /** An account at the PDS, and the job of a refresh that failed because the PDS was away; it is back now. */
  async function failedRefresh() {
    const [user] = await pds.createAccounts(1)
    const { exp, aud } = JSON.parse(Buffer.from(user!.refreshJwt.split('.')[1]!, 'base64url').toString())
    const login = {
      platform: 'bluesky' as const,
      providerAppId: '',
      externalId: user!.did,
      displayName: user!.handle,
      serviceUrl: pds.url,
      issuer: aud,
      scopes: [],
      credential: { accessToken: user!.accessJwt, refreshToken: user!.refreshJwt },
      accessExpiresAt: Date.now(),
      diesAt: exp * 1_000,
    }
    const account = await world.context.engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
    const deps = await world.connectRedis()
    await pds.stop()
    {
      await using _workers = await startWorkers(deps)
      const [id] = await enqueueRefresh(deps.queues.refresh, [account], {
        type: 'manual',
        force: true,
        clock: deps.clock,
      })
      await until(async () => (await (await deps.queues.refresh.getJob(id!))?.getState()) === 'failed', {
        what: 'the refresh to fail',
      })
    }
    await pds.start()
    return account.id
  }

  async function screenshot(page: Page, name: string): Promise<void> {
    if (process.env.UPDATE_SCREENSHOTS !== '1') return
    await mkdir(IMAGES, { recursive: true })
    await page.screenshot({ path: `${IMAGES}${name}.png` })
  }

  test('log in, see the queues and why a job failed, retry it and see it refreshed, log out', async () => {
    const accountId = await failedRefresh()
    const { id, key } = await world.makeKey('operator', 'on call')
    await using opened = await openPage()
    const { page } = opened

    await page.goto(`${world.url}/queues/`)
    expect(page.url()).toBe(`${world.url}/queues/login`)
    await screenshot(page, 'bull-board-login')
    await page.getByLabel('API key').fill('wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').getByText('This is no valid API key.').waitFor()
    // The browser tells of the 401 itself.
    expect(opened.complaints.splice(0)).toEqual([expect.stringContaining('401')])
    await logIn(page, key)

    for (const queue of ['refresh', 'refresh-now', 'schedule']) {
      await page.getByRole('link', { name: queue, exact: true }).first().waitFor()
    }
    await page.goto(`${world.url}/queues/queue/refresh?status=failed`)
    await page.getByText('PROVIDER_UNREACHABLE').first().waitFor()
    await page.getByText(accountId).first().waitFor()
    await screenshot(page, 'bull-board-failed-job')

    await using _workers = await startWorkers(await world.connectRedis())
    await page.getByRole('button', { name: 'Clean all' }).click()
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.getByText('Bull Board may retry, promote, pause and resume here, no more.').waitFor()
    expect(opened.complaints.splice(0)).toEqual([expect.stringContaining('403')])
    const retry = buttonsOfJob(page).first()
    await retry.hover()
    await page.getByText('Retry', { exact: true }).waitFor()
    await retry.click()
    await page.getByRole('button', { name: 'Confirm' }).click()
    await until(async () => (await world.store.accounts.get(accountId))?.lastAttempt?.outcome === 'refreshed', {
      what: 'the account to be refreshed',
    })
    await page.getByText('PROVIDER_UNREACHABLE').first().waitFor({ state: 'detached' })
    await page.goto(`${world.url}/queues/queue/refresh-now?status=completed`)
    await page.getByText(accountId).first().waitFor()
    expect(await world.store.audit.list({ accountId, limit: 9 })).toContainEqual(
      expect.objectContaining({ action: 'job.retried', actor: `on call (API key ${id})` }),
    )

    await page.locator('button[aria-haspopup=menu]').first().click()
    await page.getByRole('menuitem', { name: 'Log out' }).click()
    await page.waitForURL(`${world.url}/queues/logout`)
    await page.getByText('Logged in by the key on call as operator').waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.waitForURL(`${world.url}/queues/login`)
    await page.goto(`${world.url}/queues/`)
    expect(page.url()).toBe(`${world.url}/queues/login`)

    expect([...opened.hosts]).toEqual([new URL(world.url).host])
    expect(opened.complaints).toEqual([])
  })

  test('a viewer sees the same and can change nothing', async () => {
    const accountId = await failedRefresh()
    const { key } = await world.makeKey('viewer')
    await using opened = await openPage()
    const { page } = opened
    await logIn(page, key)
    await page.goto(`${world.url}/queues/queue/refresh?status=failed`)
    await page.getByText(accountId).first().waitFor()
    await page.getByRole('tab', { name: 'Error' }).first().waitFor()
    expect(await page.getByRole('button', { name: /retry|clean/i }).count()).toBe(0)
    expect(await buttonsOfJob(page).count()).toBe(0)
    expect(opened.complaints).toEqual([])

    const { queues } = await world.connectRedis()
    const [job] = await queues.refresh.getJobs(['failed'])
    const token = (await opened.context.cookies()).find(({ name }) => name === 'XSRF-TOKEN')!.value
    const path = `/queues/api/queues/refresh/${job!.id}/retry`
    const status = await page.evaluate(
      async ([path, token]) => (await fetch(path, { method: 'PUT', headers: { 'x-xsrf-token': token } })).status,
      [path, decodeURIComponent(token)] as const,
    )
    expect(status).toBe(403)
    expect(await job!.getState()).toBe('failed')
  })

  test('the cookie of https is taken, kept from scripts, and opens the board', async () => {
    // A proxy that speaks https says so; Chromium counts loopback as trustworthy, so that Secure cookies hold there.
    await using opened = await openPage({ extraHTTPHeaders: { 'x-forwarded-proto': 'https' } })
    const { page, context } = opened
    await logIn(page, ADMIN_KEY)
    await page.getByRole('link', { name: 'refresh-now', exact: true }).first().waitFor()
    const session = (await context.cookies()).find(({ name }) => name === '__Host-tokenkeeper-session')
    expect(session).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' })
    expect(await page.evaluate('document.cookie')).not.toContain('session')
    expect(opened.complaints).toEqual([])
  })

  /** They bear pictures alone, and names when pointed at; retry comes first, if it is there. */
  function buttonsOfJob(page: Page) {
    return page.locator('xpath=//*[text()="refresh-account"]/following::button[not(@role)]')
  }
})
