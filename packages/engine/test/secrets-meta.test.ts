import { createHmac } from 'node:crypto'
import { HOUR } from '@tokenkeeper/core'
import { ERROR_NAMES } from '@tokenkeeper/graph-emulator'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eavesdrop } from './support/eavesdrop.ts'
import { createGraphWorld, type GraphPlatform, type GraphWorld } from './support/graph-world.ts'

/** Tokens of users and Pages, codes, our app's secret and its proofs are nowhere but in memory. */

let world: GraphWorld
beforeAll(async () => {
  world = await createGraphWorld()
})
afterEach(() => {
  world.control.clearInjections({})
  world.proxy.clear()
})
afterAll(() => world[Symbol.asyncDispose]())

/** An ear that knows the app's secrets, and plants the account's Page tokens when asked. */
function listen() {
  const ear = eavesdrop(world)
  for (const { app } of Object.values(world.options)) ear.plant(app.secret)
  async function plantPages(accountId: string): Promise<number> {
    const pages = await world.store.pages.ofAccount(accountId, { afterId: null, limit: 100 })
    for (const { id, sealedToken } of pages) ear.plant(world.sealer.open(sealedToken!, id, 'page_token'))
    return pages.length
  }
  return { ...ear, plantPages }
}

test.each<GraphPlatform>(['meta', 'instagram', 'threads'])(
  '%s: connecting, refreshing and removing tell none',
  async (platform) => {
    await using ear = listen()
    const user = platform === 'meta' ? world.createUser(3) : world.control.createUser({ family: platform })
    const login = await world.logIn(platform, user)
    ear.plant(login.credential.accessToken)
    const account = await ear.engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
    world.pass(25 * HOUR)
    expect(await ear.refresh(account)).toMatchObject({ kind: 'refreshed' })
    await ear.engine.fetchPages(account.id)
    expect(await ear.plantPages(account.id)).toBe(platform === 'meta' ? 3 : 0)
    await ear.engine.resealAccount(account.id)
    await ear.engine.removeAccount(account.id, 'test')
    expect(await ear.findings()).toEqual([])
  },
)

test.each(['/oauth/access_token', '/debug_token', '/accounts'])('no error at %s tells any', async (path) => {
  await using ear = listen()
  for (const error of ERROR_NAMES) {
    const { account } = await world.connect('meta', 1)
    world.control.inject({ host: 'facebook', path, error, times: null })
    await ear.refresh(account)
    await ear.engine.fetchPages(account.id)
    world.control.clearInjections({})
    for (const halt of await world.store.halts.list()) await world.store.halts.remove(halt)
  }
  expect(ear.lines.length).toBeGreaterThan(ERROR_NAMES.length)
  expect(await ear.findings()).toEqual([])
})

test('answers that repeat all that was sent tell none of it', async () => {
  await using ear = listen()
  const { account } = await world.connect('meta', 1)
  const token = world.open(account).accessToken
  const { app } = world.options.meta
  const time = String(Math.floor(world.clock.now() / 1000))
  const proof = createHmac('sha256', app.secret).update(`${token}|${time}`).digest('hex')
  const all = `${token} ${app.secret} ${app.id}|${app.secret} ${proof} https://graph.facebook.com/?access_token=${token}`
  for (const path of ['/oauth/access_token', '/debug_token', '/accounts']) {
    for (const body of [
      all,
      JSON.stringify({ error: { message: all, type: all, code: 190 } }),
      JSON.stringify({ data: all }),
    ]) {
      const answer = { status: 400, headers: { 'content-type': 'application/json' }, body }
      world.control.inject({ host: 'facebook', path, answer, times: null })
      world.pass(HOUR)
      await ear.refresh(account)
      await ear.engine.fetchPages(account.id)
      world.control.clearInjections({})
    }
  }
  expect(ear.lines.join('')).toContain('not refreshed')
  expect(await ear.findings()).toEqual([])
})

test('paging.next, which holds the token, is told nowhere', async () => {
  await using ear = listen()
  const { account } = await world.connect('meta', 120)
  await ear.refresh(account)
  await ear.engine.fetchPages(account.id)
  const requests = world.control.requests({}).requests.filter(({ path }) => path.endsWith('/accounts'))
  expect(requests.length).toBeGreaterThan(1)
  expect(requests.flatMap(({ secretsInUrl }) => secretsInUrl)).not.toContain('access_token')
  await ear.plantPages(account.id)
  expect(await ear.findings()).toEqual([])
})

test('a code that is refused is not told', async () => {
  await using ear = listen()
  const user = world.createUser()
  const login = await world.logIn('meta', user)
  ear.plant(login.credential.accessToken)
  const { connectMeta } = await import('@tokenkeeper/providers')
  const code = 'planted-code-1234567890'
  ear.plant(code)
  const failed = await connectMeta(world.options.meta, { code, redirectUri: 'https://keeper.example/callback' }).catch(
    (error) => error,
  )
  expect(failed.code).toBe('LOGIN_CODE_REFUSED')
  expect(JSON.stringify(failed) + failed.stack + failed.internal).not.toContain(code)
})
