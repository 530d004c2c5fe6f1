import { residentBytes, until } from '@tokenkeeper/testkit'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { createFleet } from './fleet.ts'

const ACCOUNTS = 100_000
const KILLS = 10
const WORKERS = 2
const MB = 2 ** 20
const PAGE = 1_000

test(`a refresh-all of ${ACCOUNTS} accounts: bounded memory, ${KILLS} kills, right totals`, {
  timeout: 1_200_000,
}, async () => {
  await using fleet = await createFleet(ACCOUNTS)
  const { context, workers } = fleet
  const redis = new Redis(fleet.redisUrl)
  for (let i = 0; i < WORKERS; i++) fleet.spawn()

  const api = fleet.spawnApi()
  const [, url] = await api.waitForLine(/API is ready at (http:[^"\s]+)/)
  const refreshAll = async () => {
    const headers = { authorization: `Bearer ${fleet.adminKey}`, 'content-type': 'application/json' }
    const answer = await fetch(`${url}/api/admin/refresh-tokens`, { method: 'POST', headers, body: '{}' })
    return { status: answer.status, ...((await answer.json()) as { runId: string }) }
  }

  const begun = performance.now()
  const { status, runId } = await refreshAll()
  expect(status).toBe(202)
  const run = { id: runId }
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
    // Asked for again meanwhile, it is the same run.
    expect(await refreshAll()).toEqual({ status: 202, runId })
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
  expect(highest.worker).toBeLessThan(2 * early.worker)
  // Every account is whole, and its log tells of each of its refreshes once.
  let generations = 0
  for await (const account of pagesOf((afterId) => context.store.accounts.list({ afterId, limit: PAGE }))) {
    expect(account).toMatchObject({ attempt: null, outbox: [], status: 'active' })
    expect(account.generation).toBeGreaterThanOrEqual(2)
    generations += account.generation - 1
  }
  let logged = 0
  for await (const { outcome } of pagesOf((afterId) => context.store.log.scan({ afterId, limit: PAGE }))) {
    if (outcome === 'refreshed') logged += 1
  }
  expect(logged).toBe(generations)
  redis.disconnect()
})

async function* pagesOf<T extends { readonly id: string }>(read: (afterId: string | null) => Promise<T[]>) {
  let afterId: string | null = null
  for (let page = await read(afterId); page.length > 0; page = await read(afterId)) {
    yield* page
    afterId = page.at(-1)!.id
  }
}
