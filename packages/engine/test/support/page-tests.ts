import { DAY, MINUTE, SECOND, tokenDigest } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { actAt, gateAt } from './gate.ts'
import { seePages, watchRequests } from './graph-pages.ts'
import type { GraphWorld } from './graph-world.ts'
import { pageSteps } from './page-steps.ts'

/** Declares the tests of what a listing brings, for a world on whatever store. */
export function pageTests(world: () => GraphWorld): void {
  const { connected, fetchNow, fetchWhenDue, listNothing, loseRole } = pageSteps(world)

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
