import { DAY, MINUTE, SECOND, tokenDigest } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { ownToken, type PageFetch } from '../../src/pages/page-fetch.ts'
import { seePages, watchRequests } from './graph-pages.ts'
import type { GraphWorld } from './graph-world.ts'
import { pageSteps } from './page-steps.ts'

/** Declares the tests of what follows from what a listing lacks, for a world on whatever store. */
export function missedPageTests(world: () => GraphWorld): void {
  const { connected, fetchNow, fetchWhenDue, listNothing, loseRole } = pageSteps(world)

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
}
