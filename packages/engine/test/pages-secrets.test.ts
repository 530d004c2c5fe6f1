import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { DAY, HOUR, MINUTE } from '@tokenkeeper/core'
import { createSecretSearch, tempDir } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { seePages } from './support/graph-pages.ts'
import { createGraphWorld } from './support/graph-world.ts'
import { newKey } from './support/storage.ts'

/** Tokens of users and Pages, and `paging.next`, which holds one, are nowhere but in memory. */

const NEXT = 'https://graph.example/planted-next/accounts'

test('whatever becomes of Pages, no secret is told', async () => {
  const lines: string[] = []
  const outcomes: unknown[] = []
  await using world = await createGraphWorld({ log: { write: (line) => lines.push(line) } })
  const { account, user } = await world.connect('meta', 150)
  const see = seePages(world, account.id)
  const secrets = new Set([NEXT, 'planted-next', world.scene.graph!.meta.app.secret])
  const plant = async () => {
    secrets.add(world.open(await world.read(account.id)).accessToken)
    for (const page of await see.all()) if (page.sealedToken !== null) secrets.add(see.tokenOf(page))
  }
  const fetch = async () => {
    const { pagesDueAt } = await world.read(account.id)
    const set = { pagesDueAt: Math.min(pagesDueAt ?? world.clock.now(), world.clock.now()) }
    await world.store.accounts.write({ name: 'x', accountId: account.id, when: {}, change: { set } })
    outcomes.push(await world.engine.fetchPages(account.id))
    await plant()
    world.pass(HOUR)
  }
  await fetch()
  world.pass(DAY)
  outcomes.push(await world.refresh(account.id))
  await plant()

  // Listings that repeat the token wherever they can.
  const error = { message: 'Malformed access token {token}', type: '{token}', code: 190, fbtrace_id: '{token}' }
  const row = { id: '4711', name: 'A', access_token: '{token}' }
  const answers = [
    { status: 400, body: { error } },
    { status: 500, body: '{token}' },
    { status: 400, headers: { 'www-authenticate': 'OAuth "{token}"' }, body: 'no' },
    { status: 200, body: { data: [row], paging: { next: `${NEXT}?access_token={token}` } } },
    { status: 200, body: { data: [row], paging: { next: `${NEXT}?access_token={token}`, cursors: { after: 'x' } } } },
    { status: 200, body: { data: '{token}' } },
  ]
  for (const answer of answers) {
    world.control.inject({ path: /accounts/, answer })
    await fetch()
    world.control.clearInjections({})
  }

  // Pages that are asked about by their own tokens, which the answers repeat.
  const [lost] = user.pageIds as [string]
  world.control.setRole({ userId: user.id, pageId: lost, tasks: null })
  for (const status of [400, 500]) {
    world.control.inject({ path: /accounts/, answer: { status: 200, body: { data: [] } } })
    world.control.inject({ path: /^\/\d+$/, answer: { status, body: { error } }, times: 20 })
    await fetch()
    world.control.clearInjections({})
  }
  await using actor = world.newActor({
    keys: `${newKey('k2')},${world.scene.keys}`,
    log: { write: (l) => lines.push(l) },
  })
  await actor.engine.resealAccount(account.id)
  await using stranger = world.newActor({ keys: newKey('k3'), log: { write: (line) => lines.push(line) } })
  outcomes.push(await stranger.engine.fetchPages(account.id))
  const events = await world.store.events.list({ limit: 1_000 })
  await world.engine.removeAccount(account.id, 'test')
  world.pass(MINUTE)

  expect(secrets.size).toBeGreaterThan(300)
  for (const told of ['no Pages', 'Page not listed', 'did not come to its end']) expect(lines.join('')).toContain(told)
  const search = createSecretSearch([...secrets])
  expect(search.search(lines.join(''), 'log')).toEqual([])
  expect(search.search(JSON.stringify([outcomes, events]), 'outcomes')).toEqual([])
  await using copy = await tempDir()
  execFileSync('cp', ['-r', world.scene.dir, join(copy.path, 'scene')])
  expect(await search.searchDir(copy.path)).toEqual([])
})
