import { startRun } from '@tokenkeeper/queue'
import { until } from '@tokenkeeper/testkit'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { createFleet, residentBytes } from './fleet.ts'

const ACCOUNTS = 100_000
const KILLS = 10
const WORKERS = 2
const MB = 2 ** 20

test(`a refresh-all of ${ACCOUNTS} accounts: bounded memory, ${KILLS} kills, right totals`, {
  timeout: 1_200_000,
}, async () => {
  await using fleet = await createFleet(ACCOUNTS)
  const { context, deps, workers } = fleet
  const redis = new Redis(fleet.redisUrl)
  for (let i = 0; i < WORKERS; i++) fleet.spawn()

  const begun = performance.now()
  const run = await startRun(deps, { scheduleId: 'manual', occurrence: 'proof', filter: {}, requestedBy: 'proof' })
  const total = async () => (await context.store.runs.get(run.id))!.totals.total
  const highest = { redis: 0, worker: 0 }
  const early = { worker: 0 }
  const measure = async () => {
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
    highest.redis = Math.max(highest.redis, used)
    for (const { pid } of workers.slice(-WORKERS)) {
      const bytes = await residentBytes(pid)
      highest.worker = Math.max(highest.worker, bytes)
    }
  }
  for (let kill = 1; kill <= KILLS; kill++) {
    const reached = async () => {
      await measure()
      return (await total()) >= (kill * ACCOUNTS) / (KILLS + 1)
    }
    await until(reached, {
      what: `kill ${kill}`,
      timeoutMs: 300_000,
      everyMs: 500,
    })
    workers.at(-WORKERS)!.kill('SIGKILL')
    fleet.spawn()
    early.worker ||= highest.worker
  }
  const finished = await until(
    async () => {
      await measure()
      const now = (await context.store.runs.get(run.id))!
      return now.finishedAt === null ? null : now
    },
    { what: 'the run to finish', timeoutMs: 300_000, everyMs: 500 },
  )
  const seconds = (performance.now() - begun) / 1_000
  console.log(
    `${ACCOUNTS} accounts in ${seconds.toFixed(0)} s (${Math.round(ACCOUNTS / seconds)}/s) with ${KILLS} kills; ` +
      `at most: Redis ${Math.round(highest.redis / MB)} MB, a worker ${Math.round(highest.worker / MB)} MB`,
  )

  expect(finished.totals).toMatchObject({ total: ACCOUNTS, refreshed: ACCOUNTS, failed: 0, skipped: 0, deferred: 0 })
  expect(highest.redis).toBeLessThan(50 * MB)
  expect(highest.worker).toBeLessThan(400 * MB)
  // Flat as the run goes on: the tenth of it that was measured first needed about as much.
  expect(highest.worker).toBeLessThan(1.5 * early.worker)
  for (const account of await context.store.accounts.list({ afterId: null, limit: 1_000 })) {
    expect(account).toMatchObject({ generation: 2, attempt: null, status: 'active' })
  }
  redis.disconnect()
})
