import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { tryLock } from '../src/lock.ts'
import { summarize, wentWell } from '../src/run/summary.ts'
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

  test('went well: nothing failed; where verified, everything refreshed and working', () => {
    const all = { total: 2, refreshed: 2, failed: 0, skipped: 0, deferred: 0 }
    const finished = (counts: typeof all) => ({ totals: { ...counts, platforms: {} } })
    expect(wentWell(summarize(run, 0, null))).toBe(true)
    expect(wentWell(summarize(run, 0, 4))).toBe(false)
    expect(wentWell(summarize(finished(all), 0, 2))).toBe(true)
    expect(wentWell(summarize(finished(all), 0, 1))).toBe(false)
    expect(wentWell(summarize(finished({ ...all, refreshed: 1, failed: 1 }), 0, null))).toBe(false)
    expect(wentWell(summarize(finished({ ...all, refreshed: 1, skipped: 1 }), 0, 2))).toBe(false)
  })
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
