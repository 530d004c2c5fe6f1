import { expect } from 'vitest'
import { seePages } from './graph-pages.ts'
import type { GraphWorld } from './graph-world.ts'

const EMPTY = { status: 200, body: { data: [] } } as const

/** What the tests of Pages do with accounts, in a world on whatever store. */
export function pageSteps(world: () => GraphWorld) {
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

  return { connected, fetchNow, fetchWhenDue, listNothing, loseRole }
}
