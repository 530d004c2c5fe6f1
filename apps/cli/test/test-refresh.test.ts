import { randomBytes } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Account, makeId, systemClock } from '@tokenkeeper/core'
import { createSealer, createSqliteStore, openStore, parseKeyRing, type Store } from '@tokenkeeper/store'
import { buildAccount } from '@tokenkeeper/store/build-account'
import { createSecretSearch, type MongoServer, mongoForTests, tempDir } from '@tokenkeeper/testkit'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testRefreshJson } from '../src/json/refresh.ts'
import { checkCopy } from '../src/rehearsal/check.ts'
import { runCli } from './cli.ts'

const DAY = 24 * 3_600_000
const APPS = ['', 'INSTAGRAM_', 'THREADS_'].flatMap((name) => [
  [`${name}APP_ID`, '1'],
  [`${name}APP_SECRET`, 'real-app-secret-0123456789abcdef'],
])

async function makePlace(databaseUrl?: string) {
  const dir = await tempDir()
  const tmp = join(dir.path, 'tmp')
  await mkdir(tmp)
  const url = databaseUrl ?? `sqlite:${join(dir.path, 'real.db')}`
  // No key: of the real credentials none could be opened.
  const env = {
    DATABASE_URL: url,
    DATA_DIR: join(dir.path, 'data'),
    TMPDIR: tmp,
    NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
    ...Object.fromEntries(APPS),
  }
  return {
    url,
    dir: dir.path,
    tmp,
    run: (...args: string[]) => runCli(['test-refresh', ...args], { cwd: dir.path, env }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}

/** Sealed values that nobody could open, planted to be searched for. */
function buildReal(overrides: Partial<Account>): Account {
  const sealed = () => `v1.real.${randomBytes(24).toString('base64url')}`
  const planted = { sealedCredential: sealed(), previousCredential: sealed(), sealedAppPassword: sealed() }
  const keys = { keyId: 'real', previousKeyId: 'real', appPasswordKeyId: 'real' }
  return buildAccount({ ...planted, ...keys, displayName: `real-${makeId()}`, generation: 7, ...overrides })
}

function buildReals(now: number): Account[] {
  const meta = { platform: 'meta', providerAppId: '1', serviceUrl: null } as const
  return [
    buildReal({ nextRefreshAt: now - DAY }),
    buildReal({ ...meta, nextRefreshAt: now + DAY }),
    buildReal({ ...meta, platform: 'instagram', nextRefreshAt: now + 2 * DAY }),
    buildReal({ ...meta, platform: 'threads', nextRefreshAt: now + 3 * DAY }),
    buildReal({ nextRefreshAt: now + 40 * DAY }),
    buildReal({ nextRefreshAt: now, status: 'paused' }),
  ]
}

async function contentOf({ accounts, pages, log, events, audit, runs, halts, schedules, apiKeys }: Store) {
  const all = { afterId: null, limit: 1_000 }
  const scanned = await Promise.all([pages, log, events, audit, runs].map((kind) => kind.scan(all)))
  return [await accounts.list(all), ...scanned, await halts.list(), await schedules.list(), await apiKeys.list()]
}

describe.each(['sqlite', 'mongodb'])('on %s', (kind) => {
  let mongo: MongoServer | null = null
  beforeAll(async () => {
    if (kind === 'mongodb') mongo = await mongoForTests('test-refresh on MongoDB')
  })
  afterAll(() => mongo?.[Symbol.asyncDispose]())

  test('copies go the whole way; the real log gets their entries, and nothing else is touched', async ({ skip }) => {
    if (kind === 'mongodb' && mongo === null) skip()
    await using stack = new AsyncDisposableStack()
    const place = stack.use(await makePlace(mongo?.databaseUrl(`tokenkeeper-test-${makeId()}`)))
    const { url } = place
    if (mongo) {
      stack.defer(async () => {
        const client = new MongoClient(url)
        await client.db().dropDatabase()
        await client.close()
      })
    }
    const store = stack.use(await openStore(url))
    const reals = buildReals(Date.now())
    for (const account of reals) await store.accounts.insert(account)
    const before = await contentOf(store)

    const { code, stdout, stderr } = await place.run('--limit', '4', '--json')
    expect(stdout, stderr).toMatch(/^\{.*\}\n$/)
    const result = testRefreshJson.parse(JSON.parse(stdout))
    expect(result.accounts.flatMap(({ problems }) => problems)).toEqual([])
    expect(result).toMatchObject({ total: 4, passed: 4, failed: 0, spooled: 0 })
    const due = reals.slice(0, 4).map(({ id, platform, displayName: name }) => [id, platform, name, 8, []])
    const told = result.accounts.map((a) => [a.accountId, a.platform, a.name, a.generation, a.problems])
    expect(told).toEqual(due)
    expect(code).toBe(0)

    const log = await store.log.list({ limit: 100 })
    expect(log.map((entry) => [entry.accountId, entry.refreshType, entry.success]).toSorted()).toEqual(
      reals
        .slice(0, 4)
        .map(({ id }) => [id, 'test', true])
        .toSorted(),
    )
    for (const { id } of reals) await store.log.removeAccount(id)
    expect(await contentOf(store)).toStrictEqual(before)
    expect(await readdir(place.tmp)).toEqual([])

    const sealed = reals.flatMap((a) => [a.sealedCredential, a.previousCredential!, a.sealedAppPassword!])
    const search = createSecretSearch([...sealed, 'real-app-secret-0123456789abcdef'])
    expect(search.search(stdout + stderr, 'output')).toEqual([])
    expect(stdout + stderr).not.toMatch(/eyJ|\b(EAA|IGAA|THAA)[A-Za-z0-9]{20}/)
  })
})

test('people see a table', async () => {
  await using place = await makePlace()
  const real = buildReal({ nextRefreshAt: Date.now() })
  {
    await using store = createSqliteStore({ path: join(place.dir, 'real.db') })
    await store.accounts.insert(real)
  }
  const { code, stdout } = await place.run()
  expect(stdout).toMatch(new RegExp(`^${real.id} +bluesky +${real.displayName} +in \\d d +ok$`, 'm'))
  expect(stdout).toContain('1 of 1 as they should be')
  expect(code).toBe(0)
})

test('without accounts there is nothing to rehearse, and no database is made', async () => {
  await using place = await makePlace()
  const { code, stdout } = await place.run()
  expect([code, stdout]).toEqual([0, 'There is no active account to rehearse with.\n'])
  expect(await readdir(place.dir)).toEqual(['tmp'])
  expect((await place.run('--limit', '501')).code).toBe(2)
})

test('a copy that was not refreshed has everything named that is not as it should be', async () => {
  await using dir = await tempDir()
  await using store = createSqliteStore({ path: join(dir.path, 'x.db') })
  const sealer = createSealer(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`))
  const id = makeId()
  const credential = JSON.stringify({ accessToken: 'access-token', refreshToken: '' })
  const { sealed: sealedCredential } = sealer.seal(credential, id, 'credential')
  const copy = buildAccount({ id, sealedCredential, nextRefreshAt: Date.now(), pagesDueAt: 5 })
  await store.accounts.insert(copy)
  const failed = { kind: 'failed', code: 'PROVIDER_TIMEOUT', until: 0 } as const
  const { problems, entry } = await checkCopy({ store, sealer, clock: systemClock }, copy, failed, async () => null)
  expect(entry).toBeNull()
  expect(problems).toEqual([
    'PROVIDER_TIMEOUT: The provider did not answer in time.',
    'not so: the generation is one more',
    'not so: there is a new credential',
    'not so: the host takes the new token',
    'not so: the attempt has ended',
    'not so: the time of the refresh is noted',
    'not so: it falls due later',
    'not so: its end has moved',
    'not so: the log has the refresh',
    'not so: its Pages were fetched with the new token',
  ])
})
