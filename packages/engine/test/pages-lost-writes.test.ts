import { CodedError, DAY, MINUTE } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSceneStore } from './support/actor.ts'
import { seePages, watchRequests } from './support/graph-pages.ts'
import { createGraphWorld, type GraphWorld } from './support/graph-world.ts'

/** Writes of a fetch that fail, or whose acknowledgement is lost: it is done again, and every change is told once. */

let world: GraphWorld
beforeAll(async () => {
  world = await createGraphWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

type Target = readonly [part: 'pages' | 'log' | 'events' | 'accounts', method: string]

/**
 * `fails`: nothing was written, and the caller hears an error. `unheard`: it was written. `dropped`: nothing was written,
 * and the caller hears that it may not be. `unsure`: it was written.
 */
type Fault = 'fails' | 'unheard' | 'dropped' | 'unsure'

/** A store one of whose methods goes wrong the first time that it is called with something to write. */
function failing(store: Store, [part, method]: Target, fault: Fault): { store: Store; struck(): boolean } {
  let struck = false
  const real = store[part] as unknown as Record<string, (arg: unknown) => Promise<unknown>>
  const faulty = async (arg: unknown) => {
    const isMeant = Array.isArray(arg) ? arg.length > 0 : (arg as { name?: string }).name === 'pages'
    if (struck || !isMeant) return real[method]!(arg)
    struck = true
    if (fault === 'unheard' || fault === 'unsure') await real[method]!(arg)
    if (fault === 'dropped' || fault === 'unsure') return part === 'accounts' ? false : new Set()
    throw new CodedError('STORE_UNAVAILABLE', { internal: 'connection lost' })
  }
  return { store: { ...store, [part]: { ...real, [method]: faulty } }, struck: () => struck }
}

const TARGETS: readonly Target[] = [
  ['pages', 'put'],
  ['pages', 'update'],
  ['log', 'put'],
  ['events', 'insert'],
  ['accounts', 'write'],
]
const CASES = TARGETS.flatMap((target) =>
  (['fails', 'unheard', 'dropped', 'unsure'] as const)
    .filter((fault) => target[0] === 'pages' || target[0] === 'accounts' || fault === 'fails' || fault === 'unheard')
    .map((fault) => [target.join('.'), fault, target] as const),
)

test.each(CASES)('%s %s', async (_name, fault, target) => {
  const { account, user } = await world.connect('meta', 4)
  await world.engine.fetchPages(account.id)
  const [lost, unlisted, needed, kept] = user.pageIds as [string, string, string, string]
  const rows = [
    { id: needed, name: 'needed', tasks: [] },
    { id: kept, name: 'kept', tasks: ['ANALYZE'], access_token: `token-of-${kept}` },
  ]
  world.control.setRole({ userId: user.id, pageId: lost, tasks: null })
  world.control.inject({ path: /accounts/, answer: { status: 200, body: { data: rows } }, times: null })
  world.pass(DAY)
  const set = { pagesDueAt: world.clock.now() }
  await world.store.accounts.write({ name: 'x', accountId: account.id, when: {}, change: { set } })

  const requests = watchRequests(world)
  await using own = await openSceneStore(world.scene)
  const { store, struck } = failing(own, target, fault)
  await using actor = world.newActor({ store })
  for (let i = 0; i < 4; i++) {
    await actor.engine.fetchPages(account.id)
    const { pagesDueAt } = await world.read(account.id)
    if (pagesDueAt === null) break
    world.passTo(pagesDueAt)
  }
  world.control.clearInjections({})
  expect(struck()).toBe(true)
  expect(await world.read(account.id)).toMatchObject({ pagesGeneration: 1, pagesDueAt: null, status: 'active' })
  const see = seePages(world, account.id)
  const pages = await see.all()
  expect(Object.fromEntries(pages.map(({ externalId, status }) => [externalId, status]))).toEqual({
    [lost]: 'lost',
    [unlisted]: 'missing',
    [needed]: 'needs_permission',
    [kept]: 'active',
  })
  expect(await see.one(kept)).toMatchObject({ tasks: ['ANALYZE'] })
  expect((await see.events()).toSorted()).toEqual([
    `page.lost META_PAGE_LOST ${lost}`,
    `page.missing META_PAGE_MISSING ${unlisted}`,
    `page.needs_permission META_PERMISSION_MISSING ${needed}`,
  ])
  expect(requests.exchanges()).toBe(0)
})

test('what is not known to be stored leaves the Pages due', async () => {
  const { account, user } = await world.connect('meta', 2)
  await using own = await openSceneStore(world.scene)
  await using actor = world.newActor({ store: failing(own, ['pages', 'put'], 'dropped').store })
  expect(await actor.engine.fetchPages(account.id)).toMatchObject({ kind: 'failed', code: 'STORE_UNAVAILABLE' })
  expect(await world.read(account.id)).toMatchObject({ pagesGeneration: 0, pagesDueAt: account.pagesDueAt })
  expect(await actor.engine.fetchPages(account.id)).toMatchObject({ kind: 'fetched', counts: { refreshed: 2 } })
  await seePages(world, account.id).expectWorking(user.pageIds)
})

test('while the store is away nothing is listed', async () => {
  const { account } = await world.connect('meta', 2)
  const get = () => Promise.reject(new CodedError('STORE_UNAVAILABLE', { internal: 'connection lost' }))
  await using own = await openSceneStore(world.scene)
  await using actor = world.newActor({ store: { ...own, accounts: { ...own.accounts, get } } })
  const requests = watchRequests(world)
  expect(await actor.engine.fetchPages(account.id)).toMatchObject({ kind: 'failed', code: 'STORE_UNAVAILABLE' })
  expect(requests.all()).toBe(0)
})

test('a mistake of ours in storing them is not made again each minute', async () => {
  const { account } = await world.connect('meta', 2)
  await using own = await openSceneStore(world.scene)
  const put = () => Promise.reject(new TypeError('a bug'))
  await using actor = world.newActor({ store: { ...own, pages: { ...own.pages, put } } })
  expect(await actor.engine.fetchPages(account.id)).toMatchObject({ kind: 'failed', code: 'INTERNAL' })
  const { pagesDueAt } = await world.read(account.id)
  expect(pagesDueAt! - world.clock.now()).toBeGreaterThan(59 * MINUTE)
})
