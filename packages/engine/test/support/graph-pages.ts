import type { Page } from '@tokenkeeper/core'
import { digest } from '@tokenkeeper/graph-emulator'
import { expect } from 'vitest'
import type { GraphWorld } from './graph-world.ts'

/** What is stored and told of an account's Pages, and what was asked about them. */
export function seePages(world: GraphWorld, accountId: string) {
  const { store, control, sealer } = world
  const tokenOf = (page: Page) => sealer.open(page.sealedToken ?? '', page.id, 'page_token')

  async function all(): Promise<Page[]> {
    return (await store.pages.ofAccount(accountId, { afterId: null, limit: 10_000 })).toSorted((a, b) =>
      a.externalId < b.externalId ? -1 : 1,
    )
  }

  async function one(externalId: string): Promise<Page> {
    const page = (await all()).find((it) => it.externalId === externalId)
    if (!page) throw new Error(`no Page ${externalId}`)
    return page
  }

  return {
    all,
    one,
    tokenOf,
    /** All of them are stored, active, and work at the provider by tokens of their own that do not expire. */
    async expectWorking(externalIds: readonly string[]): Promise<void> {
      const pages = await all()
      expect(pages.map(({ externalId }) => externalId)).toEqual(externalIds.toSorted())
      const { generation } = await world.read(accountId)
      for (const page of pages) {
        expect(page).toMatchObject({ status: 'active', statusReason: null, missingCount: 0, tokenExpiresAt: null })
        expect(page.parentGeneration).toBe(generation)
        const { externalId: pageId } = page
        expect(control.inspectToken({ token: tokenOf(page) })).toMatchObject({ valid: true, kind: 'page', pageId })
      }
    },
    /** `type reason`, the oldest first. */
    async events(): Promise<string[]> {
      const events = await store.events.list({ accountId, limit: 1_000 })
      const ofPages = events.filter(({ type }) => type.startsWith('page.')).toReversed()
      return ofPages.map(({ type, reason }) => `${type} ${reason}`)
    },
    async log() {
      return (await store.log.list({ accountId, limit: 1_000 })).filter(({ pageId }) => pageId !== null)
    },
  }
}

/** Requests since now, by what they were for. */
export function watchRequests({ control }: GraphWorld) {
  const after = control.requests({}).requests.at(-1)?.id ?? 0
  const since = () => control.requests({ after }).requests
  return {
    listings: () => since().filter(({ path }) => path.endsWith('/accounts')).length,
    exchanges: () => since().filter(({ path }) => path.endsWith('/oauth/access_token')).length,
    of: (pageId: string) => since().filter(({ path }) => path === `/${pageId}`).length,
    with: (token: string) => since().filter(({ tokenDigests }) => tokenDigests.includes(digest(token))).length,
    all: () => since().length,
  }
}
