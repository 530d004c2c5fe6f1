import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeId } from '@tokenkeeper/core'
import { createSpool } from '@tokenkeeper/engine'
import { createRedisConnections } from '@tokenkeeper/queue'
import { buildHalt, buildSchedule } from '@tokenkeeper/store/conformance'
import { type Pds, type RedisServer, startPds, startRedis, type TempDir, tempDir } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkClock } from '../src/doctor/check-clock.ts'
import { doctorJson } from '../src/json/doctor.ts'
import { createWorld, type World } from './refresh-world.ts'

let pds: Pds
let redis: RedisServer
let directory: TempDir
beforeAll(async () => {
  directory = await tempDir()
  ;[pds, redis] = await Promise.all([startPds(), startRedis({ appendOnlyDir: directory.path })])
})
afterAll(async () => {
  await pds[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
  await directory[Symbol.asyncDispose]()
})

const open = (options: Parameters<typeof createWorld>[1] = {}) => createWorld(pds, { redisUrl: redis.url, ...options })

async function examine(world: World, env: Readonly<Record<string, string>> = {}) {
  const { code, result } = await world.json(doctorJson, ['doctor'], env)
  expect(result.ok).toBe(!result.findings.some(({ status }) => status === 'failed'))
  expect(code).toBe(result.ok ? 0 : 1)
  for (const { status, mend } of result.findings)
    expect(mend !== null).toBe(status === 'warning' || status === 'failed')
  return {
    code,
    all: result.findings,
    of: (check: string) => result.findings.filter((finding) => finding.check === check),
  }
}

const ill = (status: 'warning' | 'failed' | 'skipped', says: RegExp, mend?: RegExp) =>
  expect.objectContaining({
    status,
    says: expect.stringMatching(says),
    ...(mend && { mend: expect.stringMatching(mend) }),
  })

test('where all is well it says so, and has written nothing, asked for no refresh and shown no secret', async () => {
  await using world = await open()
  await world.connectBluesky(1)
  await world.connectGraph(1)
  await using served = world.spawnCli(['serve', '--no-api'])
  await served.waitForLine(/serving/)
  const { code, all } = await examine(world)
  expect(all.filter(({ status }) => status !== 'ok').map(({ check, status }) => [check, status])).toEqual([
    ['Instagram', 'skipped'],
    ['Threads', 'skipped'],
  ])
  expect(code).toBe(0)
  expect(world.refreshes()).toEqual([])
  const { stdout } = await world.run(['doctor'])
  expect(stdout).toMatch(/^workers +ok +Workers at work: 1\.$/m)
  expect(stdout).toMatch(/^schedules +ok +meta-daily comes in \d+ (h|min|s)\.$/m)
  expect(await world.leaks()).toEqual([])
})

test('writes nothing where nothing runs', async () => {
  await using world = await open()
  await world.connectBluesky(1)
  const path = join(world.env.DATA_DIR, 'tokenkeeper.db')
  const contents = () => {
    using db = new DatabaseSync(path)
    const tables = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all()
    const rows = tables.map(({ name }) => db.prepare(`SELECT * FROM "${name}"`).all())
    return createHash('sha256').update(JSON.stringify(rows)).digest('hex')
  }
  const before = contents()
  await examine(world)
  expect(contents()).toBe(before)
  using connections = createRedisConnections({ port: redis.port }, world.clock, world.loggers('test'))
  await connections.producer.connect()
  expect(await connections.producer.keys(`${world.env.QUEUE_PREFIX}*`)).toEqual([])
  await rm(world.env.DATA_DIR, { recursive: true, force: true })
  const { of } = await examine(world)
  expect(of('store')).toEqual([ill('skipped', /no database yet/)])
  await expect(mkdir(world.env.DATA_DIR)).resolves.toBeUndefined()
})

describe('Redis', () => {
  test('that throws jobs away and keeps nothing', async () => {
    await using frail = await startRedis({ args: ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'] })
    await using world = await open({ redisUrl: frail.url })
    const { of } = await examine(world)
    expect(of('Redis')).toEqual([
      expect.objectContaining({ status: 'ok' }),
      ill('warning', /keeps nothing on disk/, /appendonly yes/),
      ill('failed', /allkeys-lru/, /noeviction/),
    ])
  })

  test('that keeps snapshots', async () => {
    await using saving = await startRedis({ args: ['--save', '3600 1'] })
    await using world = await open({ redisUrl: saving.url })
    expect((await examine(world)).of('Redis')[1]).toMatchObject({
      status: 'ok',
      says: expect.stringContaining('snapshots'),
    })
  })

  test('that is away: all else is looked at', async () => {
    await using world = await open({ redisUrl: 'redis://127.0.0.1:1' })
    const { of } = await examine(world)
    expect(of('Redis')).toEqual([ill('failed', /^REDIS_UNAVAILABLE: .*127\.0\.0\.1:1/)])
    expect(of('workers')).toEqual([ill('skipped', /Redis is away/)])
    expect(of('store')[0]).toMatchObject({ status: 'ok' })
    expect(of('schedules')).toHaveLength(2)
  })
})

describe('the store', () => {
  test('of an earlier version is told, and left as it is', async () => {
    await using world = await open()
    using db = new DatabaseSync(join(world.env.DATA_DIR, 'tokenkeeper.db'))
    db.exec('PRAGMA user_version = 5')
    const { of } = await examine(world)
    expect(of('store')[0]).toEqual(ill('warning', /earlier version \(schema 5 of/, /next start/))
    expect(of('halts')).toEqual([ill('skipped', /could not be looked into/)])
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 5 })
  })

  test('that lacks an index', async () => {
    await using world = await open()
    using db = new DatabaseSync(join(world.env.DATA_DIR, 'tokenkeeper.db'))
    db.exec('DROP INDEX accounts_due')
    expect((await examine(world)).of('store')).toContainEqual(ill('failed', /accounts_due/))
  })

  test('that is damaged', async () => {
    await using world = await open()
    const path = join(world.dir, 'damaged.db')
    await writeFile(path, 'this is no database, though it is long enough to be looked at '.repeat(200))
    expect((await examine(world, { DATABASE_URL: `sqlite:${path}` })).of('store')).toEqual([
      ill('failed', /^STORE_CORRUPT: /),
    ])
  })

  test('that is away', async () => {
    await using world = await open()
    const { of } = await examine(world, { DATABASE_URL: 'mongodb://user:hidden-word@127.0.0.1:1/none' })
    expect(of('store')).toEqual([ill('failed', /^STORE_UNAVAILABLE: /)])
    expect(JSON.stringify(of('store'))).not.toContain('hidden-word')
  })
})

describe('keys', () => {
  test('that are not those that sealed', async () => {
    await using world = await open()
    await world.connectBluesky(2)
    const other = Buffer.alloc(32, 9).toString('base64')
    const missing = await examine(world, { TOKEN_ENCRYPTION_KEYS: `k2:${other}` })
    expect(missing.of('keys')).toContainEqual(ill('failed', /sealed by the key k1, which is not in the ring/))
    expect(missing.of('keys')).toContainEqual(ill('failed', /Of 2 credentials that were tried, 2 do not open/))
    const wrong = await examine(world, { TOKEN_ENCRYPTION_KEYS: `k1:${other}` })
    expect(wrong.of('keys')).toContainEqual(ill('failed', /2 do not open/))
  })

  test('that are gone', async () => {
    await using world = await open()
    await world.connectBluesky(1)
    expect((await examine(world, { TOKEN_ENCRYPTION_KEYS: '' })).of('keys')).toEqual([
      ill('failed', /There are 1 accounts, and no key/, /TOKEN_ENCRYPTION_KEYS/),
    ])
  })

  test('of development in production, and an account that is quarantined', async () => {
    await using world = await open()
    const { ids } = await world.connectBluesky(1)
    await world.set(ids[0]!, { status: { active: 'quarantined' } })
    const TOKEN_ENCRYPTION_KEYS = `${world.env.TOKEN_ENCRYPTION_KEYS},dev-0123abcd:${Buffer.alloc(32, 1).toString('base64')}`
    const { of } = await examine(world, { NODE_ENV: 'production', TOKEN_ENCRYPTION_KEYS })
    expect(of('keys')).toContainEqual(ill('warning', /dev-0123abcd/, /rotate/))
    expect(of('keys')).toContainEqual(ill('failed', /1 account is quarantined/))
  })
})

describe('the spool', () => {
  test('that cannot be written', async () => {
    await using world = await open()
    const dir = join(world.env.DATA_DIR, 'spool')
    await rm(dir, { recursive: true, force: true })
    await writeFile(dir, 'in the way')
    expect((await examine(world)).of('spool')[0]).toEqual(ill('failed', /cannot be written/, /Give the user/))
  })

  test('in which an answer is left, or something that cannot be read', async () => {
    await using world = await open()
    const dir = join(world.env.DATA_DIR, 'spool')
    const answeredAt = Date.now() - 2 * 3_600_000
    const spool = createSpool({ dir, clock: world.clock })
    await spool.put({
      version: 1,
      accountId: makeId(),
      generation: 2,
      connectId: makeId(),
      attempt: { id: makeId(), refreshType: 'scheduled', beganAt: answeredAt, presentedDigest: 'd', workerId: 'w' },
      sealed: 'v1.k1.x',
      keyId: 'k1',
      accessExpiresAt: null,
      diesAt: null,
      oldExpiresAt: null,
      nextRefreshAt: answeredAt,
      answeredAt,
      note: null,
    })
    // Its owner lives: nothing is left over.
    expect((await examine(world)).of('spool').map(({ status }) => status)).toEqual(['ok', 'ok'])
    spool[Symbol.dispose]()
    expect((await examine(world)).of('spool')[1]).toEqual(
      ill('failed', /1 answer of a dead process .* 2 h ago/, /worker/),
    )
    await writeFile(join(dir, `1-${makeId()}.db`), 'no database, but long enough to be taken for one: '.repeat(100))
    expect((await examine(world)).of('spool')).toContainEqual(ill('failed', /1 answer in the spool cannot be read/))
  })
})

describe('providers', () => {
  test('a wrong app secret', async () => {
    await using world = await open()
    const { of } = await examine(world, { APP_SECRET: 'not-the-secret' })
    expect(of('Meta')).toEqual([ill('failed', /META_APP_SECRET_WRONG/, /APP_ID and APP_SECRET/)])
    expect(JSON.stringify(of('Meta'))).not.toContain('not-the-secret')
  })

  test('a version that has expired', async () => {
    await using world = await open()
    expect((await examine(world, { META_GRAPH_VERSION: 'v20.0' })).of('Meta')).toEqual([
      expect.objectContaining({ status: 'ok' }),
      ill('warning', /since v20\.0 has expired/, /META_GRAPH_VERSION/),
    ])
  })

  test('hosts that do not answer', async () => {
    await using world = await open()
    const nowhere = 'http://127.0.0.1:1'
    const app = { THREADS_APP_ID: '1', THREADS_APP_SECRET: 'x', THREADS_GRAPH_URL: nowhere }
    const { of } = await examine(world, { PLC_URL: nowhere, META_GRAPH_URL: nowhere, ...app })
    expect(of('Bluesky')).toEqual([ill('failed', /cannot be reached at 127\.0\.0\.1:1/)])
    expect(of('Meta')).toEqual([ill('failed', /PROVIDER_UNREACHABLE/)])
    expect(of('Threads')).toEqual([ill('failed', /cannot be reached/)])
    expect(of('clock')[1]).toMatchObject({ status: 'skipped' })
  })
})

test.each([
  [0, 'ok'],
  [4_000, 'ok'],
  [-20_000, 'warning'],
  [200_000, 'failed'],
])('a clock that differs by %i ms is %s', (ahead, status) => {
  expect(checkClock('Redis', ahead).status).toBe(status)
})

describe('the fleet', () => {
  test('of which nothing runs', async () => {
    await using world = await open()
    const { of } = await examine(world)
    expect(of('workers')).toEqual([
      ill('failed', /No worker takes jobs of refresh, refresh-now, schedule/, /serve/),
      ill('failed', /No scheduler/, /serve/),
    ])
    expect(of('schedules')).toEqual([
      ill('failed', /bluesky-weekly is not registered/),
      ill('failed', /meta-daily is not registered/),
    ])
  })

  test('with a queue that is paused', async () => {
    await using world = await open()
    const { queues } = await world.connectRedis()
    await queues.refresh.pause()
    expect((await examine(world)).of('workers')).toContainEqual(ill('warning', /refresh is paused/))
  })

  test('that has missed a time, and a schedule that ends', async () => {
    await using world = await open()
    const past = { changedAt: Date.now() - 3 * 86_400_000, pinnedBy: [], isOn: true }
    await world.store.schedules.insert(buildSchedule({ ...past, id: 'meta-daily' }))
    await world.store.schedules.insert(
      buildSchedule({ ...past, id: 'ending', pattern: '0 0 1 1 *', runLimit: 9, startedRuns: 8 }),
    )
    const { of } = await examine(world, { REDIS_URL: 'redis://127.0.0.1:1' })
    expect(of('schedules')).toContainEqual(ill('failed', /meta-daily: Its run of .* was not started/, /scheduler/))
    expect(of('schedules')).toContainEqual(ill('warning', /ending: It ends after 1 more of 9 runs/, /--limit/))
  })

  test('of which a platform is halted', async () => {
    await using world = await open()
    await world.store.halts.insert(buildHalt({ platform: 'threads' }))
    await world.store.halts.insert(buildHalt({ platform: 'meta', state: 'suspected' }))
    const { of } = await examine(world)
    expect(of('halts')).toContainEqual(ill('failed', /threads is halted.*META_APP_SECRET_WRONG/, /halts end threads/))
    expect(of('halts')).toContainEqual(ill('warning', /meta may have to be halted/))
  })
})

test('a table for people, with what to do', async () => {
  await using world = await open({ redisUrl: 'redis://127.0.0.1:1' })
  const { code, stdout } = await world.run(['doctor'])
  expect(code).toBe(1)
  expect(stdout).toMatch(/^Redis +failed +REDIS_UNAVAILABLE: .* → Nothing is refreshed on time/m)
})
