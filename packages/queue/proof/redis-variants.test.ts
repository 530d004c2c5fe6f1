import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { systemClock } from '@tokenkeeper/core'
import { createLoggers } from '@tokenkeeper/telemetry'
import { freePort, type RedisServer, startRedis, tempDir, until } from '@tokenkeeper/testkit'
import { type Cluster, Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { checkRedis, createRedisConnections, type RedisAddress } from '../src/connection.ts'
import { enqueueRefresh } from '../src/enqueue.ts'
import { startRun } from '../src/runs/start-run.ts'
import { startScheduler } from '../src/scheduler.ts'
import { startWorkers } from '../src/worker.ts'
import { type Harness, startHarness } from '../test/harness.ts'
import { asAdmin, LOOPBACK, type LocalCluster, makeCertificates, startCluster } from '../test/redis-servers.ts'

/** The rights that the documentation tells people to grant. */
function documentedRights(password: string): string[] {
  const page = readFileSync(new URL('../../../docs/deployment.md', import.meta.url), 'utf8')
  const rules = [...page.matchAll(/^ACL SETUSER tokenkeeper (.+)$/gm)].flatMap(([, rule]) => rule!.split(' '))
  // The harness takes a prefix of its own.
  return rules.map((rule) => rule.replace('PASSWORD', password).replace('{tokenkeeper}:', '{test-'))
}

const logger = createLoggers({ level: 'silent', format: 'json' })('test')

/** A harness as an app would connect: what kind of Redis it is, is found out. */
async function connect(address: RedisAddress): Promise<Harness> {
  const { cluster } = await checkRedis(address, systemClock, logger)
  return startHarness({ address: { ...address, cluster } })
}

/** Everything that Redis is used for: schedules, deduplication, both queues, runs, waits. */
async function expectAllToWork({ deps, engine, store, clock, addAccounts }: Harness): Promise<void> {
  const { queues } = deps
  const accounts = await addAccounts(300, { nextRefreshAt: clock.now() + 1e9 })
  const request = { type: 'manual', force: true, clock } as const
  const first = await enqueueRefresh(queues.refresh, accounts, request)
  expect(await enqueueRefresh(queues.refresh, accounts, request)).toEqual(first)
  const refresh = engine.refresh
  // The first one is busy, so its job waits for a moment.
  engine.refresh = async () => {
    engine.refresh = refresh
    return { kind: 'busy', until: clock.now() + 300 }
  }
  await using _scheduler = await startScheduler(deps)
  await using _workers = await startWorkers(deps)
  await until(async () => (await queues.refresh.getJobCountByTypes('completed')) === 300, {
    what: 'all jobs to be completed',
  })
  expect(engine.calls).toHaveLength(301)
  expect((await queues.schedule.getJobSchedulers()).map(({ key }) => key).toSorted()).toEqual([
    'bluesky-weekly',
    'meta-daily',
    'sweep',
  ])
  await enqueueRefresh(queues.refreshNow, accounts.slice(0, 3), { ...request, first: true })
  const run = await startRun(deps, { scheduleId: 'by-hand', occurrence: 'one', filter: {}, requestedBy: 'a person' })
  await until(async () => (await store.runs.get(run.id))?.finishedAt != null, {
    what: 'the run to finish',
  })
  expect((await store.runs.get(run.id))?.totals).toMatchObject({ total: 300, refreshed: 300 })
}

describe('Redis Cluster', () => {
  /** Which node holds the keys of this prefix; there is just one. */
  async function ownerOf(cluster: LocalCluster, prefix: string): Promise<RedisServer> {
    const keys = await Promise.all(cluster.nodes.map((node) => asAdmin(node, (admin) => admin.keys(`${prefix}*`))))
    const owners = cluster.nodes.filter((_, index) => keys[index]!.length > 0)
    expect(owners).toHaveLength(1)
    return owners[0]!
  }

  test('works, from whichever node it is entered; all keys of a prefix are on one', async () => {
    await using cluster = await startCluster()
    for (const node of cluster.nodes) {
      await using harness = await connect({ host: LOOPBACK, port: node.port })
      await expectAllToWork(harness)
      await ownerOf(cluster, harness.deps.prefix)
    }
  }, 120_000)

  test('a node that dies and comes back, empty: schedules, jobs and runs are back by themselves', async () => {
    await using cluster = await startCluster()
    await using harness = await connect({ host: LOOPBACK, port: cluster.nodes[0]!.port })
    const { deps, store, clock } = harness
    const { queues } = deps
    const accounts = await harness.addAccounts(50, { nextRefreshAt: clock.now() + 1e9 })
    await using _scheduler = await startScheduler(deps)
    await using _workers = await startWorkers(deps)
    await queues.refresh.pause()
    const run = await startRun(deps, { scheduleId: 'by-hand', occurrence: 'one', filter: {}, requestedBy: 'a person' })
    const waiting = () => queues.refresh.getJobCountByTypes('prioritized', 'waiting')
    await until(async () => (await waiting()) === 50, { what: 'the jobs to be enqueued' })
    const owner = await ownerOf(cluster, deps.prefix)
    await owner.kill()
    const enqueue = enqueueRefresh(queues.refresh, accounts.slice(0, 1), { type: 'manual', clock })
    await expect(enqueue).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' })
    await owner.start()
    await until(async () => (await store.runs.get(run.id))?.finishedAt != null, {
      what: 'the run to finish',
    })
    expect((await store.runs.get(run.id))?.totals).toMatchObject({ total: 50, refreshed: 50 })
    const generations = (await store.accounts.list({ afterId: null, limit: 100 })).map(({ generation }) => generation)
    expect(new Set(generations)).toEqual(new Set([2]))
  })

  test('a connection that is asked for while the cluster is down is there when it is up', async () => {
    await using cluster = await startCluster()
    const [first, ...others] = cluster.nodes
    const address = { host: LOOPBACK, port: first!.port, cluster: true }
    using connections = createRedisConnections(address, systemClock, logger)
    const [lost] = others
    await lost!.kill()
    const isDown = () => asAdmin(first!, async (admin) => /cluster_state:fail/.test(await admin.cluster('INFO')))
    await until(isDown, { what: 'the cluster to be down' })
    const blocking = (connections.worker as Cluster).duplicate()
    await using _blocking = { [Symbol.asyncDispose]: async () => blocking.disconnect() }
    const connected = blocking.connect()
    await once(blocking, 'reconnecting')
    await lost!.start()
    await connected
    expect(blocking.status).toBe('ready')
  })

  test('there is only database 0: another one is refused in words', async () => {
    await using cluster = await startCluster()
    await expect(connect({ host: LOOPBACK, port: cluster.nodes[0]!.port, db: 3 })).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringMatching(/is a cluster, which has database 0 only/),
    })
  })
})

const valkey = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'valkey-server'))
  .find((path) => existsSync(path))
if (valkey === undefined) console.log('left out: Valkey; there is no valkey-server on PATH')
else
  test('Valkey works', async () => {
    await using server = await startRedis({ program: valkey })
    await using harness = await connect({ host: LOOPBACK, port: server.port })
    await expectAllToWork(harness)
  })

describe('Redis over TLS', () => {
  test('works with the authority that signed its certificate, and not without', async () => {
    await using dir = await tempDir()
    const certificates = makeCertificates(dir.path)
    const tlsPort = await freePort()
    const args = ['--tls-port', `${tlsPort}`, '--tls-auth-clients', 'no', '--tls-ca-cert-file', certificates.caFile]
    const pair = ['--tls-cert-file', certificates.certFile, '--tls-key-file', certificates.keyFile]
    await using _redis = await startRedis({ args: [...args, ...pair] })
    const address = { host: LOOPBACK, port: tlsPort }
    await using harness = await connect({ ...address, tls: { ca: certificates.ca } })
    await expectAllToWork(harness)
    await expect(checkRedis({ ...address, tls: {} }, systemClock, logger)).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringMatching(/certificate.*REDIS_TLS_CA_FILE/),
    })
  })
})

describe('Redis with users', () => {
  test('a user with the rights that docs/deployment.md grants can do all that is needed, and nothing else', async () => {
    await using redis = await startRedis()
    await asAdmin(redis, async (admin) => {
      await admin.set('other', 'value')
      await admin.call('ACL', 'SETUSER', 'tokenkeeper', ...documentedRights('the-password'))
    })
    const user = { host: LOOPBACK, port: redis.port, username: 'tokenkeeper', password: 'the-password' }
    await using harness = await connect(user)
    await expectAllToWork(harness)
    await asAdmin(redis, async (admin) => {
      expect(await admin.call('ACL', 'LOG')).toEqual([])
    })
    const client = new Redis({ ...user, lazyConnect: true })
    await using _client = { [Symbol.asyncDispose]: async () => client.disconnect() }
    for (const command of [['GET', 'other'], ['FLUSHALL'], ['CONFIG', 'GET', '*'], ['KEYS', '*'], ['ACL', 'LIST']]) {
      await expect(client.call(command[0]!, ...command.slice(1)), command.join(' ')).rejects.toThrow(/NOPERM/)
    }
  })
})
