import { DAY, MINUTE } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import type { Mission } from '../test/support/actor-process.ts'
import { seePages, watchRequests } from '../test/support/graph-pages.ts'
import { onEachStore } from '../test/support/on-each-store.ts'

/** A process dies while it fetches Pages: the next one fetches them, and nobody refreshes the user's token for that. */

const POINTS = [
  'commit.acked-before-relay',
  'relay.inserted-before-pull',
  'pages.before-list',
  'pages.listed-before-put',
  'pages.put-before-mark',
]

const OWN = POINTS.filter((point) => point.startsWith('pages.'))

await onEachStore('deaths while Pages are fetched', (world) => {
  async function dieAt(point: string, action: Mission['action'], accountId: string): Promise<void> {
    await using process = world().run({ action, accountIds: [accountId], kill: { point, signal: 'SIGKILL' } })
    expect((await process.exited).signal, process.lines.join('\n')).toBe('SIGKILL')
  }

  /** What the sweep does, minutes later. */
  async function sweep(accountId: string) {
    await world().engine.relayAccount(accountId)
    world().pass(3 * MINUTE)
    return world().engine.fetchPages(accountId)
  }

  test.each(POINTS)('killed at %s after a refresh', async (point) => {
    const { account, user } = await world().connect('meta', 120)
    await world().engine.fetchPages(account.id)
    world().pass(DAY)
    const requests = watchRequests(world())
    await dieAt(point, 'refresh', account.id)
    expect(await world().read(account.id)).toMatchObject({ generation: 2, pagesGeneration: 1 })
    expect(await sweep(account.id)).toMatchObject({ kind: 'fetched', complete: true, counts: { refreshed: 120 } })
    expect(requests.exchanges()).toBe(1)
    const { lastAttempt, ...fresh } = await world().read(account.id)
    expect(fresh).toMatchObject({ generation: 2, pagesGeneration: 2, pagesDueAt: null, outbox: [] })
    const see = seePages(world(), account.id)
    await see.expectWorking(user.pageIds)
    const log = (await see.log()).filter(({ id }) => id.startsWith(`${lastAttempt!.id}:`))
    expect(log).toHaveLength(120)
  })

  test('killed at one after another, each time as it is made up for', async () => {
    const { account, user } = await world().connect('meta', 3)
    const requests = watchRequests(world())
    for (const point of OWN) await dieAt(point, 'pages', account.id)
    expect(await sweep(account.id)).toMatchObject({ kind: 'fetched' })
    const see = seePages(world(), account.id)
    await see.expectWorking(user.pageIds)
    expect(await see.log()).toHaveLength(3)
    expect(requests.exchanges()).toBe(0)
  })

  test.each(OWN)('killed at %s as Pages change: each change is told once', async (point) => {
    const { account, user } = await world().connect('meta', 4)
    await world().engine.fetchPages(account.id)
    const [lost, unlisted, needed, kept] = user.pageIds as [string, string, string, string]
    const ofUser = { userId: user.id }
    world().control.setRole({ ...ofUser, pageId: lost, tasks: null })
    world().control.setRole({ ...ofUser, pageId: needed, tasks: [] })
    // Its own token goes on working.
    const row = (id: string) => ({ id, name: id, tasks: [], ...(id === kept && { access_token: `token-of-${id}` }) })
    const answer = { status: 200, body: { data: [needed, kept].map(row) } }
    world().control.inject({ ...ofUser, path: /accounts/, answer, times: null })
    const fetchDue = async () => {
      const { pagesDueAt } = await world().read(account.id)
      world().passTo(pagesDueAt!)
      await dieAt(point, 'pages', account.id)
      return world().engine.fetchPages(account.id)
    }
    world().pass(DAY)
    await dieAt('commit.acked-before-relay', 'refresh', account.id)
    await fetchDue()
    await fetchDue()
    const see = seePages(world(), account.id)
    const statuses = (await see.all()).map(({ externalId, status }) => [externalId, status])
    expect(Object.fromEntries(statuses)).toEqual({
      [lost]: 'lost',
      [unlisted]: 'missing',
      [needed]: 'needs_permission',
      [kept]: 'active',
    })
    expect((await see.events()).toSorted()).toEqual([
      `page.lost META_PAGE_LOST ${lost}`,
      `page.missing META_PAGE_MISSING ${unlisted}`,
      `page.needs_permission META_PERMISSION_MISSING ${needed}`,
    ])
    expect((await see.log()).filter(({ success }) => !success)).toHaveLength(1)
    expect(await world().read(account.id)).toMatchObject({ generation: 2, pagesGeneration: 2, pagesDueAt: null })
  })
})
