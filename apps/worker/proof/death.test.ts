import { enqueueRefresh, startScheduler } from '@tokenkeeper/queue'
import { until } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { createWorld, type World } from '../test/world.ts'

const DAYS = 86_400_000
const PROMISED_MS = 20_000

async function expectOneEntryEach({ store }: World, ids: readonly string[]): Promise<void> {
  for (const accountId of ids) {
    const entries = await store.log.list({ accountId, limit: 10 })
    expect(entries.filter(({ outcome }) => outcome === 'refreshed')).toHaveLength(1)
    expect(entries.filter(({ outcome }) => outcome === 'interrupted').length).toBeLessThanOrEqual(1)
  }
}

test.concurrent.each(['begin.acked', 'reply.received'])(
  'a worker killed at %s: its accounts are refreshed within 20 s, at the default intervals',
  async (point) => {
    await using world = await createWorld()
    const ids = await world.connect(12)
    world.clockFile.advance(8 * DAYS)
    await using _scheduler = await startScheduler(await world.connectRedis())
    // Dies with others of its accounts in flight, or taken from the queue and not yet begun.
    await using dying = world.spawnWorker({ KILL_POINT: point, KILL_NTH: '4', WORKER_CONCURRENCY: '8' })
    expect(await dying.exited).toEqual({ code: null, signal: 'SIGKILL' })
    const died = performance.now()
    expect(await world.allRefreshed(ids)).toBe(false)

    await using _next = world.spawnWorker()
    await until(() => world.allRefreshed(ids), { what: 'all accounts to be refreshed', timeoutMs: PROMISED_MS })
    const took = performance.now() - died
    expect(took).toBeLessThan(PROMISED_MS)
    for (const id of ids) expect(await world.works(id)).toBe(true)
    await until(async () => (await world.store.accounts.withOutbox({ afterId: null, limit: 1 })).length === 0, {
      what: 'all to be told',
      timeoutMs: 20_000,
    })
    await expectOneEntryEach(world, ids)
  },
  90_000,
)

test('two workers, one account in both queues: one refresh', async () => {
  await using world = await createWorld()
  const ids = await world.connect(5)
  const { queues, clock } = await world.connectRedis()
  world.proxy.fault({ kind: 'delay', ms: 300 })
  await using one = world.spawnWorker()
  await using two = world.spawnWorker()
  await Promise.all([one, two].map((worker) => worker.waitForLine(/worker is ready/)))
  const accounts = await world.store.accounts.getMany(ids)
  await Promise.all([
    enqueueRefresh(queues.refresh, accounts, { type: 'manual', force: true, clock }),
    enqueueRefresh(queues.refreshNow, accounts, { type: 'manual', force: true, clock }),
  ])
  const done = async () => {
    const counts = await Promise.all([queues.refresh, queues.refreshNow].map((queue) => queue.getJobCounts()))
    return counts.reduce((sum, { completed }) => sum + (completed ?? 0), 0) === 10
  }
  await until(done, { what: 'all jobs to be completed', timeoutMs: 30_000 })
  expect(world.presentations()).toHaveLength(5)
  for (const id of ids) expect((await world.store.accounts.get(id))?.generation).toBe(2)
})
