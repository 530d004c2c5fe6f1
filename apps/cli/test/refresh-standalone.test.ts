import { loadConfig } from '@tokenkeeper/config'
import { createContext } from '@tokenkeeper/context'
import { SECOND, systemClock } from '@tokenkeeper/core'
import { STANDALONE } from '@tokenkeeper/queue'
import type { Store } from '@tokenkeeper/store'
import { buildAttempt, buildLogItem } from '@tokenkeeper/store/build-account'
import { type Pds, startPds, until } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { refreshAccountJson, refreshRunJson } from '../src/json/refresh.ts'
import { createWorld, type World } from './refresh-world.ts'

let pds: Pds
beforeAll(async () => {
  pds = await startPds()
})
afterAll(() => pds[Symbol.asyncDispose]())

const ALONE = ['refresh', '--standalone']

test('refreshes what falls due within a day and fetches Pages, without Redis; what has time is left alone', async () => {
  await using world = await createWorld(pds)
  const [bluesky, meta] = [(await world.connectBluesky(5)).ids, await world.connectGraph(3)]
  await world.makeDue([...bluesky.slice(0, 3), ...meta.slice(0, 2)])
  await world.set(bluesky[3]!, { set: { nextRefreshAt: Date.now() + 20 * 3_600 * SECOND } })

  const { code, result } = await world.json(refreshRunJson, ALONE)
  expect(result).toMatchObject({
    finished: true,
    run: { total: 8, refreshed: 6, failed: 0, skipped: 2, deferred: 0 },
    platforms: { bluesky: { refreshed: 4, skipped: 1 }, meta: { refreshed: 2, skipped: 1 } },
    failures: [],
  })
  expect(code).toBe(0)
  expect(await world.generations([...bluesky, ...meta])).toEqual([2, 2, 2, 2, 1, 2, 2, 1])
  expect(world.refreshes()).toHaveLength(4)
  for (const id of bluesky) expect(await world.works(id)).toBe(true)
  // Pages of all three: the third had been connected, and its Pages were due since.
  const accounts = await world.store.accounts.getMany(meta)
  for (const { id, generation, pagesDueAt } of accounts) {
    const pages = await world.store.pages.ofAccount(id, { afterId: null, limit: 9 })
    expect(pages.map(({ parentGeneration }) => parentGeneration)).toEqual([generation])
    expect(pagesDueAt).toBeNull()
  }
  const log = await world.store.log.list({ limit: 100, pageId: null })
  expect(log.map(({ refreshType, success }) => `${refreshType} ${success}`)).toEqual(Array(6).fill('scheduled true'))

  const again = await world.run(ALONE)
  expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/^all +8 +0 +0 +8 +0$/m)])
  expect(await world.leaks()).toEqual([])
})

test('tells which failed, why and what to do, and ends with 1; the others are refreshed', async () => {
  await using world = await createWorld(pds)
  const { ids, users } = await world.connectBluesky(3)
  await world.makeDue(ids)
  await pds.admin.takedown(users[0]!.did)
  const { code, result } = await world.json(refreshRunJson, ALONE)
  expect(result.run).toMatchObject({ total: 3, refreshed: 2, failed: 1 })
  expect(result.failures).toEqual([
    expect.objectContaining({
      accountId: ids[0],
      name: users[0]!.handle,
      code: 'BLUESKY_TAKEN_DOWN',
      status: 'needs_action',
      todo: expect.stringContaining('at the provider'),
    }),
  ])
  expect(code).toBe(1)

  // Such an account is tried again when its day has come, which is no part of the run. (A takedown ends sessions too.)
  await world.makeDue([ids[0]!])
  await pds.admin.untakedown(users[0]!.did)
  expect((await world.run(ALONE)).code).toBe(0)
  const tried = await world.store.accounts.get(ids[0]!)
  expect(tried?.failure).toMatchObject({ class: 'dead_suspected', code: 'BLUESKY_SESSION_EXPIRED' })
})

test('presents a token again, soon, whose answer was lost, and counts it refreshed', async () => {
  await using world = await createWorld(pds)
  const { ids } = await world.connectBluesky(3)
  await world.makeDue(ids)
  world.host.fault({ kind: 'drop_answer', times: 2 })
  const { code, result } = await world.json(refreshRunJson, ALONE)
  expect(result.run).toMatchObject({ total: 3, refreshed: 3, failed: 0 })
  expect(code).toBe(0)
  expect(world.refreshes()).toHaveLength(5)
  expect(await world.generations(ids)).toEqual([2, 2, 2])
})

test('finishes what others left: spools, attempts of the dead, what was not told, removals, runs, Pages', async () => {
  await using world = await createWorld(pds)
  const { ids } = await world.connectBluesky(5)
  const [spooled, stale, untold, removed, fresh] = ids as [string, string, string, string, string]
  await leaveSpooled(world, spooled)
  expect(await world.generations([spooled])).toEqual([1])
  // An attempt of unknown outcome is recovered even where nothing new would begin.
  const attempt = buildAttempt({
    state: 'live',
    leaseUntil: Date.now() - 1,
    firstSentAt: Date.now(),
    beganAt: Date.now(),
  })
  await world.set(stale, { set: { attempt }, status: { active: 'paused' } })
  const item = buildLogItem({ accountId: untold })
  await world.set(untold, { tell: [item] })
  await world.set(removed, { status: { active: 'removing' } })
  const left = await world.store.runs.insert({
    id: world.makeId(),
    scheduleId: STANDALONE,
    occurrence: 'of a process that was killed',
    filter: {},
    requestedBy: 'cli',
    createdAt: Date.now(),
    startedAt: Date.now(),
    finishedAt: null,
    cursor: null,
    window: null,
    totals: { total: 0, refreshed: 0, failed: 0, skipped: 0, deferred: 0, platforms: {} },
  })

  expect((await world.run(ALONE)).code).toBe(0)
  expect(await world.generations([stale, fresh])).toEqual([2, 2])
  expect(await world.works(spooled)).toBe(true)
  expect((await world.store.log.get(item.entry.id))?.accountId).toBe(untold)
  expect(await world.store.accounts.get(removed)).toBeNull()
  expect(await world.store.accounts.withOutbox({ afterId: null, limit: 9 })).toEqual([])
  expect(await world.store.runs.get(left.id)).toMatchObject({ finishedAt: expect.any(Number) })
  expect(await world.store.runs.unfinished(9)).toEqual([])
})

test('two at once, of one machine, refresh each account once', async () => {
  await using world = await createWorld(pds, { env: { WORKER_CONCURRENCY: '4' } })
  const { ids } = await world.connectBluesky(24)
  await world.makeDue(ids)
  const ran = await Promise.all([world.run(ALONE), world.run(ALONE)])
  expect(ran.map(({ code }) => code)).toEqual([0, 0])
  expect(await world.generations(ids)).toEqual(ids.map(() => 2))
  expect(world.refreshes()).toHaveLength(24)
})

test.each(['SIGTERM', 'SIGINT'] as const)('%s lets what is in flight commit; the next one goes on', async (signal) => {
  await using world = await createWorld(pds, { env: { WORKER_CONCURRENCY: '2' } })
  const { ids } = await world.connectBluesky(6)
  await world.makeDue(ids)
  const held = world.host.fault({ kind: 'hold' })
  await using command = world.spawnCli(ALONE)
  await until(() => world.refreshes().length === 2, { what: 'two refreshes to be in flight' })
  command.kill(signal)
  await command.waitForLine(/Stopped: refreshes in flight are finished first/)
  held.release()
  expect(await command.exited).toEqual({ code: 130, signal: null })
  expect((await world.generations(ids)).toSorted()).toEqual([1, 1, 1, 1, 2, 2])
  expect(world.refreshes()).toHaveLength(2)

  expect((await world.run(ALONE)).code).toBe(0)
  expect(await world.generations(ids)).toEqual(ids.map(() => 2))
  expect(await world.store.runs.unfinished(9)).toEqual([])
  expect(await world.leaks(command.lines)).toEqual([])
})

test('--all takes those that have time too; --account one, with its own outcome', async () => {
  await using world = await createWorld(pds)
  const { ids, users } = await world.connectBluesky(2)
  const meta = await world.connectGraph(1)
  const all = await world.json(refreshRunJson, [...ALONE, '--all', '--platform', 'bluesky'])
  expect([all.code, all.result.run]).toEqual([0, { total: 2, refreshed: 2, failed: 0, skipped: 0, deferred: 0 }])
  expect(await world.generations([...ids, ...meta])).toEqual([2, 2, 1])

  world.host.fault({ kind: 'drop_answer', times: 1 })
  const one = await world.json(refreshAccountJson, [...ALONE, '--account', ids[0]!])
  expect(one).toMatchObject({ code: 0, result: { accountId: ids[0], outcome: 'refreshed', code: null, todo: null } })
  expect(await world.generations(ids)).toEqual([3, 2])
  await pds.admin.takedown(users[1]!.did)
  const failed = await world.run([...ALONE, '--account', ids[1]!])
  expect(failed.code).toBe(1)
  expect(failed.stdout).toMatch(/Not refreshed: .*BLUESKY_TAKEN_DOWN: .*\nWhat to do: the user sees to it/)
  const log = await world.store.log.list({ accountId: ids[0]!, limit: 9 })
  expect(new Set(log.map(({ refreshType }) => refreshType))).toEqual(new Set(['manual']))
})

/** As a process does whose store goes away after the answer. */
async function leaveSpooled({ env }: World, id: string): Promise<void> {
  const withoutCommit = (store: Store): Store => ({
    ...store,
    accounts: {
      ...store.accounts,
      async write(write) {
        if (write.name === 'commit') throw new Error('away')
        return store.accounts.write(write)
      },
    },
  })
  // Fifty times as fast, so that it gives up soon.
  const clock = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 50, signal) }
  const config = loadConfig({ ...env, LOG_LEVEL: 'fatal', PROVIDER_TIMEOUT_MS: '120000' })
  await using context = await createContext(config, { store: withoutCommit, clock })
  const outcome = await context.engine.refreshAccount(id, { type: 'scheduled', force: true })
  expect(outcome).toEqual({ kind: 'spooled' })
}
