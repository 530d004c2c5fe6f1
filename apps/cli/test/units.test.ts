import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '@tokenkeeper/config'
import { systemClock } from '@tokenkeeper/core'
import { createSqliteStore } from '@tokenkeeper/store'
import { buildAccount } from '@tokenkeeper/store/build-account'
import { tempDir } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { tryLock } from '../src/lock.ts'
import { describePlatforms } from '../src/platforms.ts'
import { followPages } from '../src/run/follow-pages.ts'
import { renderSummary, summarize, wentWell } from '../src/run/summary.ts'
import { isUnconfigured } from '../src/sandbox/is-unconfigured.ts'
import { sandboxEnv } from '../src/sandbox/sandbox-env.ts'
import { renderTable } from '../src/table.ts'
import { relativeTime } from '../src/times.ts'

describe('isUnconfigured', () => {
  const check = (variables: Record<string, string>, envFile: string | null = null, dataDir = '/nowhere') =>
    isUnconfigured({ variables, envFile }, dataDir)

  test('nothing at all, or only what does not say where the work is', () => {
    expect(check({})).toBe(true)
    expect(check({ HOME: '/home', DATA_DIR: '/x', LOG_LEVEL: 'debug', REDIS_URL: '' })).toBe(true)
  })

  test.each([
    ['DATABASE_URL', 'sqlite:x.db'],
    ['DATABASE_URL_FILE', '/run/secrets/db'],
    ['REDIS_URL', 'redis://x'],
    ['REDIS_HOST', 'x'],
    ['TOKEN_ENCRYPTION_KEYS', 'k1:x'],
    ['NODE_ENV', 'production'],
  ])('%s is configuration', (name, value) => {
    expect(check({ [name]: value })).toBe(false)
  })

  test('a .env file is configuration, and so is a database from before', async () => {
    await using dir = await tempDir()
    expect(check({}, '.env')).toBe(false)
    expect(check({}, null, dir.path)).toBe(true)
    await writeFile(join(dir.path, 'tokenkeeper.db'), '')
    expect(check({}, null, dir.path)).toBe(false)
  })
})

describe('sandboxEnv', () => {
  test('takes over Redis and logging, and nothing else', () => {
    const real = { DATABASE_URL: 'sqlite:real.db', TOKEN_ENCRYPTION_KEYS: 'real', REDIS_HOST: 'r', LOG_LEVEL: 'warn' }
    const env = sandboxEnv({ ...real, NODE_ENV: 'production', BLUESKY_CRON: '* * * * *' }, '/data')
    expect(env).toEqual({
      REDIS_HOST: 'r',
      LOG_LEVEL: 'warn',
      DATA_DIR: '/data/sandbox',
      QUEUE_PREFIX: expect.stringMatching(/^\{tokenkeeper-sandbox-[0-9a-f]{8}\}$/),
      TOKEN_ENCRYPTION_KEYS: expect.stringMatching(/^sandbox:/),
      ADMIN_API_KEY: expect.stringMatching(/^[0-9a-f]{48}$/),
      API_PORT: '0',
    })
    expect(sandboxEnv({}, '/other').QUEUE_PREFIX).not.toBe(env.QUEUE_PREFIX)
  })

  test('leads to the hosts of the sandbox alone, with its own apps', () => {
    const app = (id: string) => ({ id, secret: `secret-${id}` })
    const urls = { facebook: 'http://127.0.0.1:1', instagram: 'http://127.0.0.1:2', threads: 'http://127.0.0.1:3' }
    const env = sandboxEnv({ APP_ID: '9', APP_SECRET: 'real', META_GRAPH_VERSION: 'v25.0' }, '/data', {
      pds: { url: 'http://localhost:4', plcUrl: 'http://localhost:5' },
      graph: {
        apps: { facebook: app('1'), instagram: app('2'), threads: app('3') },
        emulator: { urls: { ...urls, control: '' } },
      },
    })
    const config = loadConfig(env)
    expect(config).toMatchObject({
      bluesky: { plcUrl: 'http://localhost:5', allowedPrivateHosts: ['localhost:4', 'localhost:5'] },
      meta: { app: { id: '1' }, graphUrl: urls.facebook, dialogUrl: urls.facebook, graphVersion: 'v26.0' },
      instagram: { app: { id: '2' }, graphUrl: urls.instagram, apiUrl: urls.instagram, dialogUrl: urls.instagram },
      threads: { app: { id: '3' }, graphUrl: urls.threads, dialogUrl: urls.threads },
    })
    const secrets = [config.meta, config.instagram, config.threads].map(({ app }) => app?.secret.reveal())
    expect(secrets).toEqual(['secret-1', 'secret-2', 'secret-3'])
  })
})

describe('summary', () => {
  const counts = { total: 4, refreshed: 2, failed: 0, skipped: 1, deferred: 1 }
  const run = { totals: { ...counts, platforms: { bluesky: counts } } }

  test('counts what was put off among the skipped, and leaves out what was not verified', () => {
    expect(summarize(run, 12.4, null)).toEqual({
      run: { total: 4, refreshed: 2, failed: 0, skipped: 2 },
      platforms: { bluesky: { total: 4, refreshed: 2, failed: 0 } },
      durationMs: 12,
    })
  })

  const all = { total: 2, refreshed: 2, failed: 0, skipped: 0, deferred: 0 }
  const finished = (counts: typeof all) => ({ totals: { ...counts, platforms: { meta: counts, bluesky: counts } } })
  const verified = { accessTokensThatWork: 2, pageTokensThatWork: 3, pagesFetched: 3 }

  test('tells of Pages and of verified tokens, the platforms in one order', () => {
    const summary = summarize(finished(all), 1_000, verified)
    expect(summary).toEqual({
      run: { total: 2, refreshed: 2, failed: 0, skipped: 0 },
      platforms: {
        bluesky: { total: 2, refreshed: 2, failed: 0 },
        meta: { total: 2, refreshed: 2, failed: 0, pages: 3 },
      },
      verified: { accessTokensThatWork: 2, pageTokensThatWork: 3 },
      durationMs: 1_000,
    })
    expect(Object.keys(summary.platforms)).toEqual(['bluesky', 'meta'])
    expect(renderSummary(summary, 4)).toContain('verified: 2 of 2 stored access tokens and 3 of 4 Page tokens work')
  })

  test('went well: nothing failed; where verified, everything refreshed, fetched and working', () => {
    const well = (counts: typeof all, found: Partial<typeof verified> | null, pages?: number) =>
      wentWell(summarize(finished(counts), 0, found && { ...verified, ...found }), pages)
    expect(wentWell(summarize(run, 0, null))).toBe(true)
    expect(well(all, null)).toBe(true)
    expect(well(all, {}, 3)).toBe(true)
    expect(well(all, {}, 4)).toBe(false)
    expect(well(all, { pagesFetched: 2 }, 3)).toBe(false)
    expect(well(all, { pageTokensThatWork: 2 }, 3)).toBe(false)
    expect(well(all, { accessTokensThatWork: 1 }, 3)).toBe(false)
    expect(well({ ...all, refreshed: 1, failed: 1 }, null)).toBe(false)
    expect(well({ ...all, refreshed: 1, skipped: 1 }, {}, 3)).toBe(false)
  })
})

describe('followPages', () => {
  test('waits until the Pages of all active accounts are fetched, and no longer than it may', async () => {
    await using dir = await tempDir()
    await using store = createSqliteStore({ path: join(dir.path, 'x.db') })
    const signal = new AbortController().signal
    const [behind, fetched, dead] = [
      buildAccount({ platform: 'meta', pagesDueAt: 5 }),
      buildAccount({ platform: 'meta', pagesDueAt: null }),
      buildAccount({ platform: 'meta', pagesDueAt: 5, status: 'needs_reconnect' }),
    ]
    for (const account of [behind!, fetched!, dead!]) await store.accounts.insert(account)
    expect(await followPages({ store, clock: systemClock }, signal, 0)).toBe(1)
    expect(await followPages({ store, clock: systemClock }, AbortSignal.abort())).toBe(1)
    // The Pages are fetched while it waits.
    const sleep = async () => {
      const change = { set: { pagesDueAt: null } }
      await store.accounts.write({ name: 'pages', accountId: behind!.id, when: {}, change })
    }
    expect(await followPages({ store, clock: { ...systemClock, sleep } }, signal)).toBe(0)
  })
})

test('describePlatforms names what is off, and what turns it on', () => {
  expect(describePlatforms(['bluesky', 'meta', 'instagram', 'threads'])).toBe('bluesky, meta, instagram, threads')
  expect(describePlatforms(['bluesky', 'threads'])).toBe(
    'bluesky, threads; off: meta (needs APP_ID, APP_SECRET), instagram (needs INSTAGRAM_APP_ID, INSTAGRAM_APP_SECRET)',
  )
})

describe('tryLock', () => {
  test('lets one in until it is disposed', async () => {
    await using dir = await tempDir()
    const path = join(dir.path, 'new', 'x.lock')
    const lock = tryLock(path)
    expect(lock).not.toBeNull()
    expect(tryLock(path)).toBeNull()
    lock?.[Symbol.dispose]()
    using again = tryLock(path)
    expect(again).not.toBeNull()
  })
})

test('relativeTime', () => {
  const now = 1_800_000_000_000
  expect(relativeTime(null, now)).toBe('-')
  expect(relativeTime(now, now)).toBe('now')
  expect(relativeTime(now + 999, now)).toBe('now')
  expect(relativeTime(now + 61_000, now)).toBe('in 1 min')
  expect(relativeTime(now - 3_600_000, now)).toBe('1 h ago')
  expect(relativeTime(now + 6.9 * 86_400_000, now)).toBe('in 6 d')
})

test('renderTable aligns numbers to the right and leaves no blanks at the end', () => {
  const table = renderTable(
    ['name', 'count', 'why'],
    [
      ['a', 5, ''],
      ['long', 250, 'because'],
    ],
  )
  expect(table.split('\n')).toEqual(['name  count  why', 'a         5', 'long    250  because'])
})

test('renderTable wraps the widest columns on a terminal that is too narrow, and cuts nothing', () => {
  const id = 'a1b2c3d4e5f6a1b2c3d4e5f6'
  const why = 'The provider asks us to wait; it is tried again in some minutes, by itself.'
  const lines = renderTable(['id', 'why'], [[id, why]], 60).split('\n')
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(60)
  expect(lines[1]).toContain(id)
  const words = lines.slice(1).map((line) => line.slice(id.length).trim())
  expect(words.join(' ')).toBe(why)
  expect(renderTable(['id', 'why'], [[id, why]]).split('\n')).toHaveLength(2)
})

test('renderTable breaks long words rather than cutting them, but for ids', () => {
  const id = 'a1b2c3d4e5f6a1b2c3d4e5f6'
  const row = [
    id,
    'meta',
    'a-name-without-any-blank.example.social',
    'needs_reconnect BLUESKY_SESSION_EXPIRED',
    'in 6 d',
  ]
  const lines = renderTable(['id', 'platform', 'name', 'status', 'next refresh'], [row], 80).split('\n')
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80)
  expect(lines.join('')).not.toContain('…')
  expect(lines.join('\n')).toContain(id)
})
