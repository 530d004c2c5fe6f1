import { DAY } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { gateAt } from './support/gate.ts'
import { seePages } from './support/graph-pages.ts'
import { createGraphWorld } from './support/graph-world.ts'

/** An answer that is held back is waited for during 30 s; closing must be over long before. */
const SOON_MS = 10_000

const isListing = ({ path }: { readonly path: string }) => path.includes('/accounts')

test('closing waits for no listing; one that is cut off is done again', {
  timeout: SOON_MS,
}, async () => {
  await using world = await createGraphWorld()
  const { account, user } = await world.connect('meta', 2)
  const held = world.proxy.fault({ kind: 'hold', match: isListing })
  const actor = world.newActor()
  const listing = actor.engine.fetchPages(account.id)
  await held.reached
  await actor.engine.settle()
  await actor[Symbol.asyncDispose]()
  expect(await listing).toMatchObject({ kind: 'failed' })
  held.release()
  world.passTo((await world.read(account.id)).pagesDueAt!)
  expect(await world.engine.fetchPages(account.id)).toMatchObject({ kind: 'fetched' })
  await seePages(world, account.id).expectWorking(user.pageIds)
})

test('one that goes on when the store is closed ends quietly', { timeout: SOON_MS }, async () => {
  const lines: string[] = []
  await using world = await createGraphWorld()
  const { account, user } = await world.connect('meta', 2)
  const gate = gateAt('pages.listed-before-put')
  const actor = world.newActor({ hook: gate.hook, log: { write: (line) => lines.push(line) } })
  const listing = actor.engine.fetchPages(account.id)
  await gate.reached
  await actor[Symbol.asyncDispose]()
  gate.open()
  expect(await listing).toMatchObject({ kind: 'failed', code: 'STORE_UNAVAILABLE' })
  expect(lines.join('')).toContain('the sweep comes back to them')
  expect(await world.engine.fetchPages(account.id)).toMatchObject({ kind: 'fetched' })
  await seePages(world, account.id).expectWorking(user.pageIds)
})

test('nor for the one after a refresh, whose token is stored by then', { timeout: SOON_MS }, async () => {
  await using world = await createGraphWorld()
  const { account, user } = await world.connect('meta', 2)
  world.pass(DAY)
  const held = world.proxy.fault({ kind: 'hold', match: isListing })
  const actor = world.newActor()
  const refreshing = actor.engine.refreshAccount(account.id, { type: 'manual', force: true, relayLater: true })
  await held.reached
  await actor[Symbol.asyncDispose]()
  expect(await refreshing).toEqual({ kind: 'refreshed', generation: 2 })
  held.release()
  expect(await world.read(account.id)).toMatchObject({ generation: 2, outbox: [], pagesDueAt: expect.any(Number) })
  world.passTo((await world.read(account.id)).pagesDueAt!)
  expect(await world.engine.fetchPages(account.id)).toMatchObject({ kind: 'fetched' })
  await seePages(world, account.id).expectWorking(user.pageIds)
})

test('but for a refresh that is at work', { timeout: SOON_MS }, async () => {
  await using world = await createGraphWorld()
  const { account } = await world.connect('meta', 0)
  const held = world.proxy.fault({ kind: 'hold', match: ({ path }) => path.includes('/oauth/access_token') })
  const actor = world.newActor()
  const refreshing = actor.engine.refreshAccount(account.id, { type: 'manual', force: true })
  await held.reached
  let isClosed = false
  const closing = actor[Symbol.asyncDispose]().then(() => {
    isClosed = true
  })
  await world.read(account.id)
  expect(isClosed).toBe(false)
  held.release()
  expect(await refreshing).toEqual({ kind: 'refreshed', generation: 2 })
  await closing
})
