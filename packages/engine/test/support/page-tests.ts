import { DAY, MINUTE, SECOND, tokenDigest } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { ownToken, type PageFetch } from '../../src/pages/page-fetch.ts'
import { actAt, gateAt } from './gate.ts'
import { seePages, watchRequests } from './graph-pages.ts'
import type { GraphWorld } from './graph-world.ts'

const EMPTY = { status: 200, body: { data: [] } } as const

/** Declares the tests of Pages, for a world on whatever store. */
export function pageTests(world: () => GraphWorld): void {
  /** An account whose Pages were fetched. */
  async function connected(pages: number) {
    const { account, user } = await world().connect('meta', pages)
    expect(await world().engine.fetchPages(account.id)).toMatchObject({ kind: 'fetched', counts: { refreshed: pages } })
    return { account, user, see: seePages(world(), account.id), fetchNow: () => fetchNow(account.id) }
  }

  /** As the sweep does when they are due. */
  async function fetchNow(accountId: string) {
    const set = { pagesDueAt: world().clock.now() }
    await world().store.accounts.write({ name: 'x', accountId, when: {}, change: { set } })
    return world().engine.fetchPages(accountId)
  }

  /** Lists once more at the time that the last listing set. */
  async function fetchWhenDue(accountId: string) {
    world().passTo((await world().read(accountId)).pagesDueAt!)
    return world().engine.fetchPages(accountId)
  }

  const listNothing = (userId: string) => world().control.inject({ path: /accounts/, userId, answer: EMPTY, times: 1 })
  const loseRole = (userId: string, pageId: string) => world().control.setRole({ userId, pageId, tasks: null })

  describe('after a connect', () => {
    test('all are stored with tokens that work, each logged once, and that is all', async () => {
      const { account, user } = await world().connect('meta', 250)
      const see = seePages(world(), account.id)
      const requests = watchRequests(world())
      const counts = { refreshed: 250, needsPermission: 0, missed: 0, missing: 0, lost: 0 }
      expect(await world().engine.fetchPages(account.id)).toEqual({ kind: 'fetched', complete: true, counts })
      expect(requests.listings()).toBe(3)
      await see.expectWorking(user.pageIds)
      const pages = await see.all()
      expect(new Set(pages.map(see.tokenOf)).size).toBe(250)
      const log = await see.log()
      expect(log.map(({ id }) => id).toSorted()).toEqual(pages.map(({ id }) => `${account.connectId}:${id}`).toSorted())
      expect(new Set(log.map((entry) => entry.tokenDigest))).toEqual(
        new Set(pages.map((page) => tokenDigest(see.tokenOf(page)))),
      )
      expect(log[0]).toMatchObject({ outcome: 'refreshed', success: true, errorCode: null, generation: 1 })
      expect(await world().read(account.id)).toMatchObject({ pagesGeneration: 1, pagesDueAt: null })

      expect(await world().engine.fetchPages(account.id)).toEqual({ kind: 'not_due' })
      expect(requests.all()).toBe(3)
    })

    test('a listing goes on beyond an answer without any', async () => {
      const { account, user } = await world().connect('meta')
      const roleOn = (businessId?: string) => {
        const page = world().control.createPage({ ...(businessId && { businessId }) })
        world().control.setRole({ userId: user.id, pageId: page.id })
        return page.id
      }
      for (let i = 0; i < 130; i++) roleOn('77')
      const own = Array.from({ length: 90 }, () => roleOn())
      const app = { appId: account.providerAppId, userId: user.id }
      world().control.setPermission({ ...app, permission: 'business_management', status: 'declined' })
      expect(await world().engine.fetchPages(account.id)).toMatchObject({ complete: true, counts: { refreshed: 90 } })
      await seePages(world(), account.id).expectWorking(own)

      world().control.setPermission({ ...app, permission: 'business_management', status: 'granted' })
      expect(await fetchNow(account.id)).toMatchObject({ complete: true, counts: { refreshed: 220 } })
    })

    test('whatever they are called', async () => {
      const { account } = await world().connect('meta')
      const names = ['', '$name', 'Zoë \\ 🦋 "x"', 'a'.repeat(500)]
      const data = names.map((name, i) => ({ id: `48${i}`, name, access_token: `token-${i}`, tasks: [] }))
      const answer = { status: 200, body: { data: [...data, { id: '484', access_token: 'token-4' }] } }
      world().control.inject({ path: /accounts/, userId: account.externalId, answer, times: 1 })
      expect(await world().engine.fetchPages(account.id)).toMatchObject({ counts: { refreshed: 5 } })
      const pages = await seePages(world(), account.id).all()
      expect(pages.map(({ name }) => name)).toEqual([...names, ''])
    })

    test('there may be none', async () => {
      const { account, see } = await connected(0)
      expect(await see.all()).toEqual([])
      expect(await world().read(account.id)).toMatchObject({ pagesGeneration: 1, pagesDueAt: null })
    })

    test('again, they are fetched again', async () => {
      const { account, user, see } = await connected(2)
      const before = (await see.all()).map(see.tokenOf)
      const login = await world().logIn('meta', user)
      await world().engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
      expect(await world().engine.fetchPages(account.id)).toMatchObject({ counts: { refreshed: 2 } })
      await see.expectWorking(user.pageIds)
      expect((await see.all()).map(see.tokenOf)).not.toEqual(before)
      const { connectId } = await world().read(account.id)
      expect((await see.log()).filter(({ id }) => id.startsWith(connectId))).toHaveLength(2)
    })
  })

  describe('after a refresh', () => {
    test('they are fetched at once with the new token, and logged under its attempt', async () => {
      const { account, user, see } = await connected(3)
      const before = (await see.all()).map(see.tokenOf)
      world().pass(DAY)
      const requests = watchRequests(world())
      const outcome = await world().engine.refreshAccount(account.id, { type: 'manual', force: true })
      expect(outcome).toEqual({ kind: 'refreshed', generation: 2 })
      const fresh = await world().read(account.id)
      expect(fresh).toMatchObject({ pagesGeneration: 2, pagesDueAt: null })
      await see.expectWorking(user.pageIds)
      expect((await see.all()).map(see.tokenOf).filter((token) => before.includes(token))).toEqual([])
      expect(requests.with(world().open(fresh).accessToken)).toBeGreaterThan(0)
      expect([requests.exchanges(), requests.listings()]).toEqual([1, 1])
      const log = (await see.log()).filter(({ id }) => id.startsWith(`${fresh.lastAttempt!.id}:`))
      expect(log.map(({ refreshType, generation }) => [refreshType, generation])).toEqual(Array(3).fill(['manual', 2]))
    })

    test('what goes wrong with them changes nothing of its outcome', async () => {
      const { account, user, see } = await connected(2)
      world().control.inject({ path: /accounts/, userId: user.id, error: 'service', times: 1 })
      expect(await world().refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
      const behind = await world().read(account.id)
      expect(behind).toMatchObject({ status: 'active', failure: null, pagesGeneration: 1 })
      expect(behind.pagesDueAt! - world().clock.now()).toBeGreaterThan(7 * MINUTE)
      const requests = watchRequests(world())
      await fetchWhenDue(account.id)
      await see.expectWorking(user.pageIds)
      expect([requests.exchanges(), requests.listings()]).toEqual([0, 1])
    })
  })

  describe('a Page whose role is lost', () => {
    test('is lost by one witness, told once, and never asked for again', async () => {
      const { account, user, see } = await connected(3)
      const [lost, ...kept] = user.pageIds as [string, ...string[]]
      const token = see.tokenOf(await see.one(lost))
      const before = await see.one(lost)
      loseRole(user.id, lost)
      world().pass(DAY)
      const requests = watchRequests(world())
      await world().refresh(account.id)
      expect(await see.one(lost)).toEqual({
        ...before,
        status: 'lost',
        statusReason: 'META_PAGE_LOST',
        missingCount: 1,
        lastMissedAt: expect.any(Number),
      })
      expect(await world().read(account.id)).toMatchObject({ status: 'active', pagesGeneration: 2, pagesDueAt: null })
      expect(requests.of(lost)).toBe(1)
      expect(requests.with(token)).toBe(1)
      const told = [`page.lost META_PAGE_LOST ${lost}`]
      expect(await see.events()).toEqual(told)
      const entry = { success: false, outcome: 'failed', errorCode: 'META_PAGE_LOST', pageId: before.id }
      expect((await see.log()).filter(({ success }) => !success)).toMatchObject([
        { ...entry, tokenDigest: tokenDigest(token), errorMessage: 'The user has lost access to this Page.' },
      ])

      world().pass(DAY)
      await world().refresh(account.id)
      await fetchNow(account.id)
      expect(requests.of(lost)).toBe(1)
      expect(await see.events()).toEqual(told)
      expect((await see.all()).filter(({ status }) => status === 'active').map(({ externalId }) => externalId)).toEqual(
        kept.toSorted(),
      )
    })

    test('is active again when it is listed again', async () => {
      const { account, user, see } = await connected(2)
      const [lost] = user.pageIds as [string]
      loseRole(user.id, lost)
      await world().refresh(account.id)
      world().control.setRole({ userId: user.id, pageId: lost })
      world().pass(SECOND)
      await world().refresh(account.id)
      await see.expectWorking(user.pageIds)
    })

    test('was deleted', async () => {
      const { user, see, fetchNow } = await connected(2)
      const [deleted] = user.pageIds as [string]
      world().control.deletePage({ pageId: deleted })
      expect(await fetchNow()).toMatchObject({ counts: { refreshed: 1, lost: 1 } })
      expect(await see.one(deleted)).toMatchObject({ status: 'lost', statusReason: 'META_PAGE_LOST' })
    })
  })

  describe('a listing that is empty by mistake', () => {
    test('changes nothing that lasts', async () => {
      const { account, user, see, fetchNow } = await connected(3)
      const before = await see.all()
      const requests = watchRequests(world())
      listNothing(user.id)
      expect(await fetchNow()).toMatchObject({ complete: true, counts: { missed: 3, missing: 0, lost: 0 } })
      expect(await see.all()).toEqual(
        before.map((page) => ({ ...page, missingCount: 1, lastMissedAt: expect.any(Number) })),
      )
      expect(user.pageIds.map(requests.of)).toEqual([1, 1, 1])
      const { pagesDueAt } = await world().read(account.id)
      expect(pagesDueAt! - world().clock.now()).toBeGreaterThan(59 * MINUTE)
      expect(await fetchWhenDue(account.id)).toMatchObject({ counts: { refreshed: 3 } })
      await see.expectWorking(user.pageIds)
      expect(await world().read(account.id)).toMatchObject({ pagesDueAt: null })
      expect(await see.events()).toEqual([])
      expect((await see.log()).filter(({ success }) => !success)).toEqual([])
    })

    test('twice leaves them missing, told once; nobody asks again until they are listed again', async () => {
      const { account, user, see, fetchNow } = await connected(2)
      listNothing(user.id)
      await fetchNow()
      listNothing(user.id)
      expect(await fetchWhenDue(account.id)).toMatchObject({ counts: { missed: 0, missing: 2 } })
      const missing = { status: 'missing', statusReason: 'META_PAGE_MISSING', missingCount: 2 }
      expect(await see.all()).toMatchObject([missing, missing])
      expect((await see.all()).map(({ sealedToken }) => sealedToken)).not.toContain(null)
      expect(await world().read(account.id)).toMatchObject({ status: 'active', pagesDueAt: null })
      const told = user.pageIds.map((id) => `page.missing META_PAGE_MISSING ${id}`).toSorted()
      expect((await see.events()).toSorted()).toEqual(told)

      const requests = watchRequests(world())
      listNothing(user.id)
      await fetchNow()
      expect(requests.all()).toBe(1)
      expect((await see.events()).toSorted()).toEqual(told)
      await fetchNow()
      await see.expectWorking(user.pageIds)
    })

    test('twice at once counts once', async () => {
      const { user, see, fetchNow } = await connected(1)
      for (let i = 0; i < 3; i++) {
        listNothing(user.id)
        await fetchNow()
        world().pass(MINUTE)
      }
      expect(await see.all()).toMatchObject([{ status: 'active', missingCount: 1 }])
    })

    test('costs a bounded number of requests', async () => {
      const { account, user, see, fetchNow } = await connected(30)
      const requests = watchRequests(world())
      listNothing(user.id)
      expect(await fetchNow()).toMatchObject({ counts: { missed: 30 } })
      expect(requests.all()).toBe(1 + 25)
      expect((await see.all()).filter(({ missingCount }) => missingCount === 0)).toHaveLength(5)
      listNothing(user.id)
      expect(await fetchWhenDue(account.id)).toMatchObject({ counts: { missed: 5, missing: 25 } })
      for (const counts of [
        { missed: 5, missing: 0 },
        { missed: 0, missing: 5 },
      ]) {
        listNothing(user.id)
        expect(await fetchWhenDue(account.id)).toMatchObject({ counts })
      }
    })
  })

  test('a Page that only another listing lacks and whose token works is missing, not lost', async () => {
    const { account, user, see } = await connected(1)
    const business = world().control.createPage({ businessId: '88' })
    world().control.setRole({ userId: user.id, pageId: business.id })
    await fetchNow(account.id)
    const app = { appId: account.providerAppId, userId: user.id }
    world().control.setPermission({ ...app, permission: 'business_management', status: 'declined' })
    await fetchNow(account.id)
    await fetchWhenDue(account.id)
    const page = await see.one(business.id)
    expect(page).toMatchObject({ status: 'missing', statusReason: 'META_PAGE_MISSING' })
    expect(world().control.inspectToken({ token: see.tokenOf(page) }).valid).toBe(true)
  })

  describe('a listing that does not come to its end', () => {
    test('is kept as far as it goes, and nothing follows from what it lacks', async () => {
      const { account, user, see } = await connected(2)
      const before = await see.all()
      const added = { id: '4711', name: 'Added', access_token: 'page-token-4711', tasks: ['ANALYZE'] }
      const body = { data: [added], paging: { next: 'https://x.example' } }
      world().control.inject({ path: /accounts/, userId: user.id, answer: { status: 200, body }, times: 1 })
      const requests = watchRequests(world())
      await world().refresh(account.id)
      expect([requests.exchanges(), requests.listings(), ...user.pageIds.map(requests.of)]).toEqual([1, 1, 0, 0])
      const [one, ...others] = (await see.all()).toSorted((a) => (a.externalId === '4711' ? -1 : 1))
      expect(one).toMatchObject({ name: 'Added', status: 'active', tasks: ['ANALYZE'] })
      expect(see.tokenOf(one!)).toBe('page-token-4711')
      expect(others).toEqual(before)
      const { pagesGeneration, pagesDueAt } = await world().read(account.id)
      expect(pagesGeneration).toBe(1)
      expect(pagesDueAt! - world().clock.now()).toBeGreaterThan(7 * MINUTE)
    })
  })

  describe('without a permission for a Page', () => {
    test('its token is kept, that is told once, and a grant heals it', async () => {
      const { account, user, see, fetchNow } = await connected(2)
      const [page] = user.pageIds as [string]
      const before = await see.one(page)
      world().control.setRole({ userId: user.id, pageId: page, tasks: [] })
      world().pass(MINUTE)
      expect(await fetchNow()).toMatchObject({ counts: { refreshed: 1, needsPermission: 1 } })
      const { sealedToken, keyId, id } = before
      const needed = { status: 'needs_permission', statusReason: 'META_PERMISSION_MISSING', tasks: [] }
      expect(await see.one(page)).toMatchObject({ id, sealedToken, keyId, ...needed })
      await world().refresh(account.id)
      await fetchNow()
      expect(await see.events()).toEqual([`page.needs_permission META_PERMISSION_MISSING ${page}`])
      world().control.setRole({ userId: user.id, pageId: page })
      await fetchNow()
      await see.expectWorking(user.pageIds)
    })

    test('from the first day on there is no token', async () => {
      const { account, user } = await world().connect('meta', 1)
      const [page] = user.pageIds as [string]
      world().control.setRole({ userId: user.id, pageId: page, tasks: [] })
      await fetchNow(account.id)
      const see = seePages(world(), account.id)
      expect(await see.one(page)).toMatchObject({ sealedToken: null, keyId: null, status: 'needs_permission' })
      expect(await see.log()).toEqual([])
      loseRole(user.id, page)
      const requests = watchRequests(world())
      await fetchNow(account.id)
      await fetchWhenDue(account.id)
      expect(await see.one(page)).toMatchObject({ status: 'missing' })
      expect(requests.of(page)).toBe(0)
    })

    test("the user's own token in its place is never stored", async () => {
      const { account } = await world().connect('meta')
      const row = { id: '4712', name: 'A', access_token: '{token}' }
      const answer = { status: 200, body: { data: [row] } }
      world().control.inject({ path: /accounts/, userId: account.externalId, answer, times: 1 })
      await fetchNow(account.id)
      const see = seePages(world(), account.id)
      expect(await see.one('4712')).toMatchObject({ sealedToken: null, status: 'needs_permission' })
      // Also if the provider let it through.
      const fetch = { credential: { accessToken: 'u', refreshToken: '' } } as PageFetch
      const listed = { externalId: '1', name: '', tasks: [], instagramBusinessAccountId: null }
      expect(['u', 'p', null].map((token) => ownToken(fetch, { ...listed, token }))).toEqual([null, 'p', null])
    })
  })

  describe('two workers that list at once', () => {
    /** One has listed and is held up; `meanwhile`, a second later; then it goes on. */
    async function overtaken(accountId: string, meanwhile: () => Promise<unknown>) {
      const gate = gateAt('pages.listed-before-put')
      await using slow = world().newActor({ hook: gate.hook })
      const set = { pagesDueAt: world().clock.now() }
      await world().store.accounts.write({ name: 'x', accountId, when: {}, change: { set } })
      const fetching = slow.engine.fetchPages(accountId)
      await gate.reached
      world().pass(SECOND)
      await meanwhile()
      gate.open()
      return fetching
    }

    test('leave what the later one listed', async () => {
      const { account, user, see } = await connected(2)
      const [page] = user.pageIds as [string]
      await overtaken(account.id, async () => {
        world().control.setRole({ userId: user.id, pageId: page, tasks: ['ANALYZE'] })
        await world().engine.fetchPages(account.id)
      })
      expect(await see.one(page)).toMatchObject({ status: 'active', tasks: ['ANALYZE'] })
      await see.expectWorking(user.pageIds)
      expect(await see.log()).toHaveLength(2)
      expect(await world().read(account.id)).toMatchObject({ pagesDueAt: null })
    })

    test('miss nothing that the later one listed', async () => {
      const { account, user, see } = await connected(2)
      listNothing(user.id)
      const requests = watchRequests(world())
      await overtaken(account.id, () => world().engine.fetchPages(account.id))
      await see.expectWorking(user.pageIds)
      expect(requests.all()).toBe(2)
    })

    test('bring back nothing that the later one found to be lost', async () => {
      const { account, user, see } = await connected(2)
      const [page] = user.pageIds as [string]
      await overtaken(account.id, async () => {
        loseRole(user.id, page)
        await world().engine.fetchPages(account.id)
      })
      expect(await see.one(page)).toMatchObject({ status: 'lost' })
    })

    test('a token that was refreshed meanwhile leaves its own', async () => {
      const { account, user, see } = await connected(2)
      await overtaken(account.id, () => world().refresh(account.id))
      await see.expectWorking(user.pageIds)
      expect(await world().read(account.id)).toMatchObject({ generation: 2, pagesGeneration: 2, pagesDueAt: null })
    })
  })

  test('a login that comes between the listing and its last write leaves them due', async () => {
    const { account, user } = await world().connect('meta', 1)
    const login = await world().logIn('meta', user)
    await using actor = world().newActor({
      hook: actAt('pages.put-before-mark', () =>
        world().engine.connectAccount(login, { ownerId: 'owner', actor: 'test' }),
      ),
    })
    await actor.engine.fetchPages(account.id)
    const fresh = await world().read(account.id)
    expect(fresh).toMatchObject({ generation: 2, pagesGeneration: 0, pagesDueAt: fresh.connectedAt })
  })
}
