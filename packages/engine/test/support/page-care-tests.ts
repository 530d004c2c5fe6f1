import { CodedError, type Page } from '@tokenkeeper/core'
import { createSealer, parseKeyRing } from '@tokenkeeper/store'
import { describe, expect, test } from 'vitest'
import type { Actor } from './actor.ts'
import { actAt } from './gate.ts'
import { seePages } from './graph-pages.ts'
import type { GraphWorld } from './graph-world.ts'
import { pageSteps } from './page-steps.ts'
import { newKey } from './storage.ts'

/** Declares the tests of what removing and re-sealing an account means for its Pages, for a world on whatever store. */
export function pageCareTests(world: () => GraphWorld): void {
  const { connected } = pageSteps(world)

  describe('removing the account', () => {
    test('removes its Pages and their log', async () => {
      const { account, see } = await connected(2)
      await world().engine.removeAccount(account.id, 'test')
      expect([await see.all(), await see.log()]).toEqual([[], []])
    })

    test('while they are listed leaves nothing either', async () => {
      const { account, user } = await world().connect('meta', 2)
      await using actor = world().newActor({
        hook: actAt('pages.listed-before-put', () => world().engine.removeAccount(account.id, 'test')),
      })
      expect(await actor.engine.fetchPages(account.id)).toEqual({ kind: 'off' })
      const see = seePages(world(), account.id)
      expect([await see.all(), await see.log()]).toEqual([[], []])
      expect(user.pageIds).toHaveLength(2)
    })
  })

  describe('what is listed for an account that is gone', () => {
    /** Looks through all Pages; tells in how many calls. */
    async function walk({ engine }: Pick<Actor, 'engine'> = world()): Promise<number> {
      let calls = 0
      for (let afterId: string | null = null; calls === 0 || afterId !== null; calls++) {
        afterId = await engine.removeOrphanPages(afterId)
      }
      return calls
    }

    test('is not stored', async () => {
      const { account } = await world().connect('meta', 2)
      const { store } = world()
      let puts = 0
      const put: typeof store.pages.put = (pages) => {
        puts += pages.length
        return store.pages.put(pages)
      }
      await using actor = world().newActor({
        store: { ...store, pages: { ...store.pages, put } },
        hook: actAt('pages.listed-before-put', () => world().engine.removeAccount(account.id, 'test')),
      })
      expect(await actor.engine.fetchPages(account.id)).toEqual({ kind: 'off' })
      expect(puts).toBe(0)
    })

    test('goes later, if the store was away just then; what others have stays', async () => {
      const kept = await connected(501)
      const { account } = await world().connect('meta', 2)
      const { store } = world()
      let isAway = false
      const put: typeof store.pages.put = async (pages) => {
        if (pages.length > 0) await world().engine.removeAccount(account.id, 'test')
        return store.pages.put(pages)
      }
      const logPut: typeof store.log.put = async (entries) => {
        await store.log.put(entries)
        isAway = true
      }
      const get: typeof store.accounts.get = async (id) => {
        if (isAway) throw new CodedError('STORE_UNAVAILABLE', { internal: 'connection lost' })
        return store.accounts.get(id)
      }
      await using actor = world().newActor({
        store: {
          ...store,
          pages: { ...store.pages, put },
          log: { ...store.log, put: logPut },
          accounts: { ...store.accounts, get },
        },
      })
      expect(await actor.engine.fetchPages(account.id)).toMatchObject({ kind: 'failed', code: 'STORE_UNAVAILABLE' })
      const see = seePages(world(), account.id)
      expect([await see.all(), await see.log()].map(({ length }) => length)).toEqual([2, 2])
      expect(await walk()).toBeGreaterThan(1)
      expect([await see.all(), await see.log()]).toEqual([[], []])
      await kept.see.expectWorking(kept.user.pageIds)
      expect(await kept.see.log()).toHaveLength(501)
    })

    test('a walk that is interrupted between log and Pages finds them again', async () => {
      const { account, see } = await connected(2)
      const pages = await see.all()
      await world().engine.removeAccount(account.id, 'test')
      await world().store.pages.put(pages)
      const { store } = world()
      const removeAccount = () => Promise.reject(new CodedError('STORE_UNAVAILABLE', { internal: 'connection lost' }))
      await using actor = world().newActor({ store: { ...store, log: { ...store.log, removeAccount } } })
      await expect(walk(actor)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      expect(await see.all()).toHaveLength(2)
      await walk()
      expect(await see.all()).toEqual([])
    })
  })

  describe('re-sealing', () => {
    /** The Page as if it was sealed by a key that is gone, or damaged. */
    async function spoil(page: Page, change: Partial<Page>) {
      const to = { ...page, ...change }
      expect((await world().store.pages.update([{ from: page, to }])).size).toBe(1)
    }

    test('a damaged token makes the Pages due, and the next listing brings it back', async () => {
      const { account, user, see } = await connected(3)
      const [damaged, other] = (await see.all()) as [Page, Page]
      await spoil(damaged, { sealedToken: other.sealedToken })
      await using actor = world().newActor({ keys: `${newKey('k2')},${world().scene.keys}` })
      expect(await actor.engine.resealAccount(account.id)).toBe(true)
      expect(await world().store.pages.get(damaged.id)).toMatchObject({ sealedToken: null, status: 'active' })
      expect((await world().read(account.id)).pagesDueAt).toBeLessThanOrEqual(world().clock.now())
      expect(await actor.engine.fetchPages(account.id)).toMatchObject({ counts: { refreshed: 3 } })
      for (const { sealedToken, id, externalId: pageId } of await see.all()) {
        const token = actor.sealer.open(sealedToken!, id, 'page_token')
        expect(world().control.inspectToken({ token })).toMatchObject({ valid: true, pageId })
      }
      expect(user.pageIds).toHaveLength(3)
    })

    test('without damage leaves them as they are', async () => {
      const { account } = await connected(2)
      await using actor = world().newActor({ keys: `${newKey('k2')},${world().scene.keys}` })
      expect(await actor.engine.resealAccount(account.id)).toBe(true)
      expect(await world().read(account.id)).toMatchObject({ pagesDueAt: null })
    })

    test('a Page whose key is missing keeps no other from it, and is told', async () => {
      const { account, see } = await connected(3)
      const first = (await world().store.pages.ofAccount(account.id, { afterId: null, limit: 1 }))[0]!
      const lostKey = createSealer(parseKeyRing(newKey('lost'))).seal('x', first.id, 'page_token')
      await spoil(first, { sealedToken: lostKey.sealed, keyId: lostKey.keyId })
      await using actor = world().newActor({ keys: `${newKey('k2')},${world().scene.keys}` })
      await expect(actor.engine.resealAccount(account.id)).rejects.toMatchObject({ code: 'KEY_MISSING' })
      expect((await see.all()).map(({ keyId }) => keyId).toSorted()).toEqual(['k2', 'k2', 'lost'])
    })
  })

  test('re-sealing an account seals its Pages anew', async () => {
    const { account, user, see } = await connected(201)
    const k2 = newKey('k2')
    await using actor = world().newActor({ keys: `${k2},${world().scene.keys}` })
    expect(await actor.engine.resealAccount(account.id)).toBe(true)
    expect(await actor.engine.resealAccount(account.id)).toBe(false)
    const pages = await see.all()
    expect(pages).toHaveLength(201)
    for (const page of pages) {
      expect(page.keyId).toBe('k2')
      const token = actor.sealer.open(page.sealedToken!, page.id, 'page_token')
      expect(world().control.inspectToken({ token })).toMatchObject({ valid: true, pageId: page.externalId })
    }
    expect(user.pageIds).toHaveLength(201)

    const [damaged, other] = pages as [Page, Page]
    const to = { ...damaged, sealedToken: other.sealedToken }
    await world().store.pages.update([{ from: damaged, to }])
    await using next = world().newActor({ keys: `${newKey('k3')},${k2},${world().scene.keys}` })
    expect(await next.engine.resealAccount(account.id)).toBe(true)
    expect(await world().store.pages.get(damaged.id)).toMatchObject({ sealedToken: null, keyId: null })
    expect((await see.all()).filter(({ keyId }) => keyId === 'k3')).toHaveLength(200)
  })
}
