import { join } from 'node:path'
import { startRun } from '@tokenkeeper/queue'
import { createClockFile, until } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { createWorld, type World } from '../test/world.ts'

const MINUTE = 60_000
const ACCOUNTS = 20

/** A refresh-all that this process, whose clock is right, asks for; as it stands when it has ended. */
async function refreshAll(world: World) {
  const request = { scheduleId: 'by-hand', occurrence: world.makeId(), filter: {}, requestedBy: 'test' }
  const { id } = await startRun(await world.connectRedis(), request)
  await until(async () => (await world.store.runs.get(id))?.finishedAt != null, { what: 'the run to end' })
  return (await world.store.runs.get(id))!
}

test.concurrent.each([
  ['ahead', 10 * MINUTE],
  ['behind', -10 * MINUTE],
])('workers whose clock is ten minutes %s: each run presents each account once', async (_, offset) => {
  await using world = await createWorld()
  const ids = await world.connect(ACCOUNTS)
  using skewed = createClockFile(join(world.dir, 'skewed-clock'))
  skewed.advance(offset)
  await using one = world.spawnWorker({ CLOCK_FILE: skewed.path })
  await using two = world.spawnWorker({ CLOCK_FILE: skewed.path })
  await Promise.all([one, two].map((worker) => worker.waitForLine(/worker is ready/)))
  for (const round of [1, 2]) {
    expect((await refreshAll(world)).totals).toMatchObject({ total: ACCOUNTS, refreshed: ACCOUNTS, failed: 0 })
    expect(world.presentations()).toHaveLength(round * ACCOUNTS)
  }
  for (const { generation } of await world.store.accounts.getMany(ids)) expect(generation).toBe(3)
})

test('an answer that is lost fails nobody: the run waits until the token was presented again', async () => {
  await using world = await createWorld()
  const ids = await world.connect(ACCOUNTS)
  world.proxy.fault({ kind: 'drop_answer', times: 7 })
  await using worker = world.spawnWorker()
  await worker.waitForLine(/worker is ready/)
  const totals = { total: ACCOUNTS, refreshed: ACCOUNTS, failed: 0, skipped: 0, deferred: 0 }
  expect((await refreshAll(world)).totals).toEqual({ ...totals, platforms: { bluesky: totals } })
  expect(world.presentations().length).toBeGreaterThanOrEqual(ACCOUNTS + 7)
  for (const id of ids) expect(await world.works(id)).toBe(true)
})
