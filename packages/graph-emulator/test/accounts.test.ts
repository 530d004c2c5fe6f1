import { DAY } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { ask, createTestWorld, errorOf } from './world.ts'

test('a row is as Meta documents it', async () => {
  await using world = await createTestWorld()
  const id = world.addPage({ name: 'Cookies' }, ['ANALYZE', 'MANAGE'])
  const { status, body } = await world.accounts(world.connect())
  expect(status).toBe(200)
  expect(body).toEqual({
    data: [
      {
        access_token: expect.stringMatching(/^EAA/),
        category: 'Internet Company',
        category_list: [{ id: '2256', name: 'Internet Company' }],
        name: 'Cookies',
        id,
        tasks: ['ANALYZE', 'MANAGE'],
      },
    ],
    paging: { cursors: { before: expect.any(String), after: expect.any(String) } },
  })
})

test('cursors lead through all pages, forth and back, and next holds the token', async () => {
  await using world = await createTestWorld()
  const ids = Array.from({ length: 5 }, () => world.addPage())
  const token = world.connect()
  const seen: string[] = []
  let page = (await world.accounts(token, { limit: '2', fields: 'id' })).body
  seen.push(...page.data.map(({ id }: { id: string }) => id))
  while (page.paging.next !== undefined) {
    const next = new URL(page.paging.next)
    expect(next.origin).toBe(world.url)
    expect(next.pathname).toBe(`/v26.0/${world.user.id}/accounts`)
    expect(Object.fromEntries(next.searchParams)).toEqual({
      access_token: token,
      limit: '2',
      fields: 'id',
      after: page.paging.cursors.after,
    })
    page = (await ask(next.href)).body
    seen.push(...page.data.map(({ id }: { id: string }) => id))
  }
  expect(seen).toEqual(ids)
  const back = (await ask(page.paging.previous)).body
  expect(back.data.map(({ id }: { id: string }) => id)).toEqual(ids.slice(2, 4))
})

test('a page may be empty while next is there', async () => {
  await using world = await createTestWorld()
  for (let index = 0; index < 3; index += 1) world.addPage({ businessId: '77' })
  const own = world.addPage()
  const token = world.connect()
  const first = (await world.accounts(token, { limit: '2' })).body
  expect(first.data).toEqual([])
  expect(first.paging.next).toContain('after=')
  const second = (await world.accounts(token, { limit: '2', after: first.paging.cursors.after })).body
  expect(second.data).toMatchObject([{ id: own }])
  expect(second.paging).not.toHaveProperty('next')
})

test('the Pages of a Business are there with business_management only', async () => {
  await using world = await createTestWorld()
  const id = world.addPage({ businessId: '77' })
  expect((await world.accounts(world.connect())).body.data).toEqual([])
  const token = world.connect(true, ['business_management', 'pages_show_list'])
  expect((await world.accounts(token)).body.data).toMatchObject([{ id, access_token: expect.any(String) }])
})

test('the token is missing where no page permission covers the Page, and for a role without tasks', async () => {
  await using world = await createTestWorld()
  const covered = world.addPage({ businessId: '77' })
  const other = world.addPage({ businessId: '77' })
  const idle = world.addPage({ businessId: '77' }, [])
  world.control.grant({
    ...world.both,
    permissions: ['business_management', 'pages_show_list'],
    targets: { pages_show_list: [covered, idle] },
  })
  const { body } = await world.accounts(world.control.issueToken(world.both).accessToken)
  expect(body.data).toMatchObject([{ id: covered }, { id: other }, { id: idle }])
  expect(body.data.map((row: object) => 'access_token' in row)).toEqual([true, false, false])
})

test('without pages_show_list there are none', async () => {
  await using world = await createTestWorld()
  world.addPage()
  expect((await world.accounts(world.connect(true, ['email']))).body.data).toEqual([])
  const token = world.connect()
  expect((await world.accounts(token)).body.data).toHaveLength(1)
  world.control.setPermission({ ...world.both, permission: 'pages_show_list', status: 'expired' })
  expect((await world.accounts(token)).body.data).toEqual([])
})

test('only the chosen Pages are there', async () => {
  await using world = await createTestWorld()
  const [chosen] = [world.addPage(), world.addPage()]
  world.control.grant({ ...world.both, pages: [chosen] })
  const { accessToken } = world.control.issueToken(world.both)
  expect((await world.accounts(accessToken)).body.data).toMatchObject([{ id: chosen }])
})

test("a Page token lives as long as its user token's kind has it, and is the same for the same user token", async () => {
  await using world = await createTestWorld()
  world.addPage()
  const pageToken = async (userToken: string) => (await world.accounts(userToken)).body.data[0].access_token
  const [short, long] = [world.connect(false), world.connect()]
  const [fromShort, fromLong] = [await pageToken(short), await pageToken(long)]
  expect(await pageToken(long)).toBe(fromLong)
  expect(await pageToken(world.connect())).not.toBe(fromLong)
  expect((await world.debug(fromShort)).expires_at).toBe((await world.debug(short)).expires_at)
  expect(await world.debug(fromLong)).toMatchObject({ type: 'PAGE', expires_at: 0 })
  world.control.advanceClock({ ms: 61 * DAY })
  expect((await world.debug(fromShort)).error).toMatchObject({ subcode: 463 })
  // Its user token is dead; it is not.
  expect((await world.debug(long)).is_valid).toBe(false)
  expect((await world.get('/v26.0/me', { access_token: fromLong })).status).toBe(200)
})

test('fields are those asked for, nested ones too', async () => {
  await using world = await createTestWorld()
  const instagram = { id: '1784', username: 'cookies' }
  const id = world.addPage({ username: 'cookies', instagram })
  world.addPage()
  const fields = 'name,username,picture,instagram_business_account{id,username}'
  const token = world.connect(true, ['pages_show_list', 'instagram_basic'])
  const [first, second] = (await world.accounts(token, { fields })).body.data
  expect(first).toEqual({
    id,
    name: 'Example Page',
    username: 'cookies',
    picture: { data: { height: 50, width: 50, is_silhouette: true, url: expect.any(String) } },
    instagram_business_account: instagram,
  })
  expect(second).not.toHaveProperty('instagram_business_account')
  expect(errorOf(await world.accounts(token, { fields: 'name,nonsense' }))).toMatchObject({
    code: 100,
    message: '(#100) Tried accessing nonexisting field (nonsense) on node type (Page)',
  })
})

test('a cursor that is none is refused, and so is a limit', async () => {
  await using world = await createTestWorld()
  world.addPage()
  const token = world.connect()
  expect(errorOf(await world.accounts(token, { after: 'nonsense' }))).toMatchObject({ code: 2642 })
  for (const limit of ['0', '-1', 'many']) {
    expect(errorOf(await world.accounts(token, { limit }))).toMatchObject({ code: 100 })
  }
})

test('a cursor goes on where its Page stood, if that is gone', async () => {
  await using world = await createTestWorld()
  const ids = Array.from({ length: 4 }, () => world.addPage())
  const token = world.connect()
  const { after } = (await world.accounts(token, { limit: '2' })).body.paging.cursors
  world.control.deletePage({ pageId: ids[1]! })
  expect((await world.accounts(token, { after })).body.data).toMatchObject([{ id: ids[2] }, { id: ids[3] }])
})

test("another user's list is not there, and a Page has none", async () => {
  await using world = await createTestWorld()
  world.addPage()
  const token = world.connect()
  const other = await world.get(`/v26.0/${world.control.createUser().id}/accounts`, { access_token: token })
  expect(errorOf(other)).toMatchObject({ code: 100, error_subcode: 33, type: 'GraphMethodException' })
  const pageToken = (await world.accounts(token)).body.data[0].access_token
  expect(errorOf(await world.accounts(pageToken))).toMatchObject({ code: 100 })
  const missing = await world.get('/v26.0/me/accounts')
  expect(errorOf(missing)).toMatchObject({ code: 2500 })
})
