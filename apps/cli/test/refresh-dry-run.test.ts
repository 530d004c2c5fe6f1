import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeId } from '@tokenkeeper/core'
import { createSqliteStore } from '@tokenkeeper/store'
import { buildAccount, buildAttempt, buildHalt } from '@tokenkeeper/store/conformance'
import { type MongoServer, mongoForTests, type Pds, startPds, tempDir } from '@tokenkeeper/testkit'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refreshDryRunJson } from '../src/json/refresh.ts'
import { runCli } from './cli.ts'
import { createWorld } from './refresh-world.ts'

const DRY = ['refresh', '--dry-run']
const HOUR = 3_600_000
const DAY = 24 * HOUR

/** What would show that something was written. */
interface Snapshot {
  readonly url: string
  take(): Promise<unknown>
}

function sqliteDatabase(dir: string): Snapshot {
  const path = join(dir, 'tokenkeeper.db')
  // The log beside it holds what the process that connected the accounts has not moved into the file yet.
  return { url: `sqlite:${path}`, take: () => Promise.all([readFile(path), readFile(`${path}-wal`)]) }
}

async function mongoDatabase(server: MongoServer): Promise<Snapshot & AsyncDisposable> {
  const url = server.databaseUrl(`tokenkeeper-test-${makeId()}`)
  const client = new MongoClient(url)
  const db = client.db()
  return {
    url,
    async take() {
      const names = (await db.listCollections().toArray()).map(({ name }) => name).toSorted()
      const documents = (name: string) => db.collection(name).find().sort({ _id: 1 }).toArray()
      return Promise.all(names.map(async (name) => [name, await db.collection(name).indexes(), await documents(name)]))
    },
    async [Symbol.asyncDispose]() {
      await db.dropDatabase()
      await client.close()
    },
  }
}

describe.each(['sqlite', 'mongodb'])('makes no request and no write: %s', (kind) => {
  let pds: Pds
  let mongo: MongoServer | null = null
  beforeAll(async () => {
    pds = await startPds()
    if (kind === 'mongodb') mongo = await mongoForTests('a dry run on MongoDB')
  })
  afterAll(() => Promise.all([pds[Symbol.asyncDispose](), mongo?.[Symbol.asyncDispose]()]))

  test('whatever is asked for', async ({ skip }) => {
    if (kind === 'mongodb' && mongo === null) skip()
    await using stack = new AsyncDisposableStack()
    const dir = stack.use(await tempDir())
    const database = mongo ? stack.use(await mongoDatabase(mongo)) : sqliteDatabase(dir.path)
    await using world = await createWorld(pds, { env: { DATABASE_URL: database.url } })
    const [bluesky, meta] = [(await world.connectBluesky(3)).ids, await world.connectGraph(2)]
    await world.makeDue([bluesky[0]!, meta[0]!])
    await world.set(bluesky[1]!, { status: { active: 'needs_action' }, set: { nextRefreshAt: Date.now() } })
    await world.noteSecrets()
    const requests = () => [world.host.requests.length, world.graph.requests.length, world.control.requests().count]
    // The process that connected the accounts still writes its journal.
    const files = async () =>
      (await readdir(world.dir, { recursive: true })).filter((name) => !/^data(\/journal|$)/.test(name))
    const before = [await database.take(), requests(), await files()]

    const plain = await world.json(refreshDryRunJson, DRY)
    expect(plain.result).toMatchObject({ dryRun: true, total: 2, platforms: { bluesky: 1, meta: 1 } })
    const rows = plain.result.accounts.map(({ accountId, why, reason }) => [accountId, why, reason])
    const { connectedAt } = (await world.store.accounts.get(bluesky[0]!))!
    const today = new Date(connectedAt).toISOString().slice(0, 10)
    const rotates = `connected ${today}; sessions are refreshed every 7 days`
    expect(rows).toEqual([
      [bluesky[0], 'DUE', rotates],
      [meta[0], 'DUE', expect.stringMatching(/^(its token|the access to its user's data) ends .*; taken up to 7 days/)],
    ])
    const standalone = await world.json(refreshDryRunJson, [...DRY, '--standalone', '--platform', 'bluesky'])
    expect(standalone.result.accounts.map(({ accountId, status }) => [accountId, status])).toEqual([
      [bluesky[0], 'active'],
      [bluesky[1], 'needs_action'],
    ])
    const all = await world.json(refreshDryRunJson, [...DRY, '--all', '--limit', '1'])
    expect([all.result.total, all.result.accounts.length]).toEqual([4, 1])
    const one = await world.json(refreshDryRunJson, [...DRY, '--account', bluesky[2]!])
    expect(one.result.accounts).toMatchObject([{ accountId: bluesky[2], why: 'NOT_DUE', reason: rotates }])
    const said = await world.run(DRY)
    expect(said.stdout).toMatch(
      new RegExp(`^${bluesky[0]} +bluesky .*(now|ago)\\) .*sessions are refreshed every 7 days$`, 'm'),
    )
    expect([plain, standalone, all, one, said].map(({ code }) => code)).toEqual([0, 0, 0, 0, 0])

    expect([await database.take(), requests(), await files()]).toEqual(before)
    expect(await world.leaks()).toEqual([])
  })
})

async function makePlace() {
  const dir = await tempDir()
  const path = join(dir.path, '.data/tokenkeeper.db')
  const env = { APP_ID: '1', APP_SECRET: 'x'.repeat(32) }
  return {
    dir: dir.path,
    path,
    async plan(...args: string[]) {
      const { stdout, stderr } = await runCli([...DRY, '--json', ...args], { cwd: dir.path, env })
      expect(stdout, stderr).toMatch(/^\{/)
      return refreshDryRunJson.parse(JSON.parse(stdout)).accounts
    },
    run: () => runCli(DRY, { cwd: dir.path, env }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}

test('where there is no database it makes none', async () => {
  await using place = await makePlace()
  expect(await place.plan()).toEqual([])
  expect(await readdir(place.dir)).toEqual([])
})

test('of the soonest, across platforms, with why: a retry, a wait, a halt, the end of a token, an unknown outcome', async () => {
  await using place = await makePlace()
  const now = Date.now()
  const meta = { platform: 'meta', providerAppId: '1', connectedAt: now - 50 * DAY, diesAt: now + 7 * DAY } as const
  const failure = { count: 2, class: 'transient', code: 'PROVIDER_TIMEOUT', since: now } as const
  const accounts = [
    buildAccount({ nextRefreshAt: now - 5 * HOUR, failure, connectedAt: now - 9 * DAY }),
    buildAccount({ ...meta, nextRefreshAt: now - 4 * HOUR, providerAppId: 'halted' }),
    buildAccount({ ...meta, nextRefreshAt: now - 3 * HOUR }),
    buildAccount({ nextRefreshAt: now + 2 * HOUR, snoozedAt: now, connectedAt: now - DAY }),
    buildAccount({ ...meta, nextRefreshAt: now + 23 * HOUR, diesAt: null }),
    buildAccount({ nextRefreshAt: now + 25 * HOUR }),
    buildAccount({ nextRefreshAt: now, status: 'paused' }),
    buildAccount({
      nextRefreshAt: now,
      status: 'paused',
      attempt: buildAttempt({ state: 'live', leaseUntil: now - 1 }),
    }),
    buildAccount({ nextRefreshAt: now, platform: 'threads', providerAppId: 'off' }),
  ]
  {
    await using store = createSqliteStore({ path: place.path })
    for (const account of accounts) await store.accounts.insert(account)
    await store.halts.insert(
      buildHalt({ platform: 'meta', providerAppId: 'halted', state: 'halted', since: now, probeAt: now + HOUR }),
    )
  }
  const before = await readFile(place.path)
  const plan = await place.plan()
  // Also where nobody else has it open.
  expect(await readFile(place.path)).toEqual(before)
  expect(plan.map(({ accountId, why, reason }) => [accountId, why, reason])).toEqual([
    [accounts[0]!.id, 'DUE', 'tried again after PROVIDER_TIMEOUT'],
    [accounts[1]!.id, 'HALTED', expect.stringContaining('the platform is halted')],
    [accounts[2]!.id, 'DUE', expect.stringMatching(/^its token ends \d{4}-\d\d-\d\d; taken up to 7 days/)],
    [accounts[3]!.id, 'PUT_OFF', expect.stringContaining('a host, a budget or a halt asked for that')],
    [accounts[4]!.id, 'NOT_DUE', 'the end of its token is not known'],
  ])
  const alone = await place.plan('--standalone')
  const recovered = accounts[7]!.id
  expect(alone.map(({ accountId }) => accountId).toSorted()).toEqual(
    [...plan.map(({ accountId }) => accountId), recovered].toSorted(),
  )
  expect(alone.find(({ accountId }) => accountId === recovered)).toMatchObject({
    why: 'RECOVERY_DUE',
    status: 'paused',
  })
})

test('a database of an older version is left as it is, and said to be one', async () => {
  await using place = await makePlace()
  await createSqliteStore({ path: place.path })[Symbol.asyncDispose]()
  {
    const db = new DatabaseSync(place.path)
    db.exec('PRAGMA user_version = 1')
    db.close()
  }
  const { code, stderr } = await place.run()
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^STORE_OUTDATED: /m)])
  using db = new DatabaseSync(place.path, { readOnly: true })
  expect(db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 1 })
})
