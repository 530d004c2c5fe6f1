import { DAY } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { createMetaProvider, type PageListing } from '../src/index.ts'
import { serve, serveJson } from './servers.ts'
import { accountOf, metaWorld } from './support/graph-world.ts'

type World = Awaited<ReturnType<typeof metaWorld>>
type Page = Parameters<World['control']['createPage']>[0]

function addPages({ control, user }: World, count: number, page: Page = {}): string[] {
  return Array.from({ length: count }, (_, index) => {
    const { id } = control.createPage({ name: `Page ${index}`, ...page })
    control.setRole({ userId: user.id, pageId: id })
    return id
  })
}

async function list(world: World, decline: string[] = []): Promise<PageListing> {
  const login = await world.connect(decline)
  const listing = await world.provider.pages.list(accountOf(login), login.credential)
  if (listing.kind !== 'pages') throw new Error(JSON.stringify(listing))
  return listing
}

/** How often the Pages were asked for. */
function listings(world: World): number {
  return world.control.requests().requests.filter(({ path }) => path.endsWith('/accounts')).length
}

describe.concurrent('the list of Pages', () => {
  test('none', async () => {
    await using world = await metaWorld()
    expect(await list(world)).toEqual({ kind: 'pages', complete: true, pages: [] })
  })

  test('all that there is to know of one', async () => {
    await using world = await metaWorld()
    const [pageId] = addPages(world, 1, { name: 'A Page', instagram: { id: '178414', username: 'a_page' } })
    world.control.setRole({ userId: world.user.id, pageId: pageId!, tasks: ['ANALYZE', 'CREATE_CONTENT'] })
    const { pages } = await list(world)
    expect(pages).toEqual([
      {
        externalId: pageId,
        name: 'A Page',
        token: expect.stringMatching(/^EAA/),
        tasks: ['ANALYZE', 'CREATE_CONTENT'],
        instagramBusinessAccountId: '178414',
      },
    ])
    // A Page token from a long-lived token has no end.
    expect(world.control.inspectToken({ token: pages[0]!.token! })).toMatchObject({
      valid: true,
      kind: 'page',
      pageId,
      expiresAt: null,
    })
  })

  test('goes on to its end, each Page once', async () => {
    await using world = await metaWorld()
    const ids = addPages(world, 250)
    const { complete, pages } = await list(world)
    expect(complete).toBe(true)
    expect(pages.map(({ externalId }) => externalId)).toEqual(ids)
    expect(new Set(pages.map(({ token }) => token)).size).toBe(250)
    expect(listings(world)).toBe(3)
  })

  test('goes on beyond an answer without Pages', async () => {
    await using world = await metaWorld()
    addPages(world, 150, { businessId: '77' })
    const own = addPages(world, 60)
    const { complete, pages } = await list(world, ['business_management'])
    expect(complete).toBe(true)
    expect(pages.map(({ externalId }) => externalId)).toEqual(own)
    expect(listings(world)).toBe(3)
  })

  test('Pages of a business are listed with its permission', async () => {
    await using world = await metaWorld()
    const ids = addPages(world, 2, { businessId: '77' })
    expect((await list(world)).pages.map(({ externalId }) => externalId)).toEqual(ids)
  })

  test('a Page without permission has no token', async () => {
    await using world = await metaWorld()
    const [one, other] = addPages(world, 2)
    world.control.setRole({ userId: world.user.id, pageId: other!, tasks: [] })
    const { pages } = await list(world)
    expect(pages.map(({ externalId, token }) => [externalId, token !== null])).toEqual([
      [one, true],
      [other, false],
    ])
  })

  test("is not asked for where `next` says, which may be anybody's address", async () => {
    await using world = await metaWorld()
    await using elsewhere = await serveJson(200, { data: [{ id: '666', name: 'Evil', access_token: 'x' }] })
    const [pageId] = addPages(world, 1)
    const login = await world.connect()
    const row = { id: '1', name: 'First', access_token: 'page-token-1', tasks: [] }
    const cursors = { after: Buffer.from(`0:${pageId}`).toString('base64url') }
    const body = { data: [row], paging: { cursors, next: `${elsewhere.url}/?access_token={token}` } }
    world.control.inject({ path: /accounts/, answer: { status: 200, body } })
    const listing = await world.provider.pages.list(accountOf(login), login.credential)
    expect(listing).toMatchObject({ complete: true, pages: [{ externalId: '1', token: 'page-token-1' }] })
    expect(elsewhere.requests).toEqual([])
    expect(listings(world)).toBe(2)
  })

  test("a user's token in the place of a Page's is none", async () => {
    await using world = await metaWorld()
    const login = await world.connect()
    const answer = { status: 200, body: { data: [{ id: '1', name: 'A', access_token: '{token}' }] } }
    world.control.inject({ path: /accounts/, answer })
    expect(await world.provider.pages.list(accountOf(login), login.credential)).toMatchObject({
      complete: true,
      pages: [{ externalId: '1', token: null }],
    })
  })

  test.each([
    ['a cursor that comes again', { cursors: { after: 'again' }, next: 'https://x.example' }, 2],
    ['more without a cursor', { next: 'https://x.example' }, 1],
  ])('%s: is not complete', async (_, paging, requests) => {
    await using world = await metaWorld()
    const login = await world.connect()
    const body = { data: [{ id: '1', name: 'A', access_token: 'page-token-1' }], paging }
    world.control.inject({ path: /accounts/, answer: { status: 200, body }, times: null })
    expect(await world.provider.pages.list(accountOf(login), login.credential)).toMatchObject({
      complete: false,
      pages: [{ externalId: '1' }],
    })
    expect(listings(world)).toBe(requests)
  })

  test('an endless list is given up, and is not complete', async () => {
    await using world = await metaWorld()
    let served = 0
    await using endless = await serve((_, response) => {
      served += 1
      const body = {
        data: [{ id: `${served}` }],
        paging: { cursors: { after: `${served}` }, next: 'https://x.example' },
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    const login = await world.connect()
    const provider = createMetaProvider({ ...world.options, graphUrl: endless.url })
    const listing = await provider.pages.list(accountOf(login), login.credential)
    expect(listing).toMatchObject({ complete: false })
    expect(served).toBe(100)
  })

  test.each<[string, unknown]>([
    ['a row without an id', { data: [{ name: 'A', access_token: 'x' }] }],
    ['no list', { data: {} }],
    ['no data', {}],
  ])('%s is no list', async (_, body) => {
    await using world = await metaWorld()
    const login = await world.connect()
    world.control.inject({ path: /accounts/, answer: { status: 200, body } })
    expect(await world.provider.pages.list(accountOf(login), login.credential)).toMatchObject({
      kind: 'retry',
      code: 'PROVIDER_BAD_ANSWER',
    })
  })

  test('a failure on the way is a verdict, not a short list', async () => {
    await using world = await metaWorld()
    addPages(world, 150)
    const login = await world.connect()
    world.control.inject({ path: /accounts/, error: 'cursor_invalid' })
    expect(await world.provider.pages.list(accountOf(login), login.credential)).toMatchObject({ kind: 'retry' })
    world.control.inject({ path: /accounts/, error: 'user_limit' })
    expect(await world.provider.pages.list(accountOf(login), login.credential)).toMatchObject({
      kind: 'snooze',
      scope: 'user',
    })
  })

  test('with another secret the proof is refused, which may be this token alone', async () => {
    await using world = await metaWorld()
    const login = await world.connect()
    world.control.resetSecret({ appId: world.app.id })
    expect(await world.provider.pages.list(accountOf(login), login.credential)).toMatchObject({
      kind: 'halt',
      code: 'META_PROOF_REFUSED',
      suspect: 'token',
    })
  })

  test('the permission was taken back', async () => {
    await using world = await metaWorld()
    const login = await world.connect()
    world.control.inject({ path: /accounts/, error: 'permission_200' })
    expect(await world.provider.pages.list(accountOf(login), login.credential)).toMatchObject({
      kind: 'needs_action',
      code: 'META_PERMISSION_MISSING',
    })
  })
})

describe.concurrent("a Page's own token", () => {
  async function page(world: World) {
    const [pageId] = addPages(world, 1)
    const login = await world.connect()
    const listing = await world.provider.pages.list(accountOf(login), login.credential)
    if (listing.kind !== 'pages') throw new Error(listing.code)
    const subject = { externalId: pageId!, token: listing.pages[0]!.token! }
    return { ...subject, check: () => world.provider.pages.check(accountOf(login), subject) }
  }

  test('works, also when the token that it came from has expired', async () => {
    await using world = await metaWorld()
    const { check } = await page(world)
    expect(await check()).toBe('works')
    world.control.advanceClock({ ms: 61 * DAY })
    expect(await check()).toBe('works')
  })

  test.each<[string, (world: World, pageId: string) => unknown, object]>([
    [
      'the role was taken',
      ({ control, user }, pageId) => control.setRole({ userId: user.id, pageId, tasks: null }),
      { kind: 'page_lost', code: 'META_PAGE_LOST' },
    ],
    ['the Page was deleted', ({ control }, pageId) => control.deletePage({ pageId }), { kind: 'page_lost' }],
    [
      'impersonating is not granted',
      ({ control }) => control.inject({ error: 'page_permission_lost' }),
      { kind: 'page_lost' },
    ],
    ['the Page cannot be seen', ({ control }) => control.inject({ error: 'object_unknown' }), { kind: 'page_lost' }],
    [
      'the user removed the app',
      ({ control, app, user }) => control.removeApp({ appId: app.id, userId: user.id }),
      { kind: 'dead', code: 'META_ACCESS_REVOKED' },
    ],
    [
      'too many calls for this Page',
      ({ control }) => control.inject({ error: 'page_limit' }),
      { kind: 'snooze', scope: 'asset' },
    ],
    ['an outage', ({ control }) => control.inject({ error: 'service' }), { kind: 'retry' }],
  ])('%s', async (_, cause, verdict) => {
    await using world = await metaWorld()
    const { externalId, check } = await page(world)
    await cause(world, externalId)
    expect(await check()).toMatchObject(verdict)
  })
})
