import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createSqliteStore } from '@tokenkeeper/store'
import { buildSchedule } from '@tokenkeeper/store/conformance'
import { spawnNode, startRedis, tempDir, until } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import type { z } from 'zod'
import { scheduleJson, schedulesListJson, schedulesRemoveJson, schedulesRunJson } from '../src/json/schedules.ts'
import { MAIN, runCli } from './cli.ts'

const DAY = 86_400_000

async function makePlace(env: Readonly<Record<string, string>> = {}) {
  await using stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const open = () => createSqliteStore({ path: join(dir.path, '.data/tokenkeeper.db') })
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runCli(['schedules', ...args], { cwd: dir.path, env: { ...env, ...more } })
  const rest = stack.move()
  return {
    dir: dir.path,
    open,
    run,
    async json<T>(schema: z.ZodType<T>, ...args: string[]): Promise<T> {
      const { code, stdout, stderr } = await run([...args, '--json'])
      expect(code, stderr).toBe(0)
      return schema.parse(JSON.parse(stdout))
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  }
}

test('the default schedules are shown before there is a store, and none is made by that', async () => {
  await using place = await makePlace()
  const { stdout } = await place.run([])
  expect(stdout).toMatch(/^meta-daily +0 2 \* \* \* +UTC +meta, instagram, threads +in \d+ \w+ +-$/m)
  expect(await place.json(schedulesListJson)).toMatchObject([
    { id: 'bluesky-weekly', cron: '0 0 * * 0', platforms: ['bluesky'], state: 'on', isDefault: true, missedAt: null },
    { id: 'meta-daily', limit: null, startedRuns: 0, runsLeft: null, lastRun: null, pinnedBy: [], warning: null },
  ])
  expect(existsSync(join(place.dir, '.data'))).toBe(false)
})

test('a schedule is made, changed, turned off and on, started and removed, which is recorded', async () => {
  await using place = await makePlace({ SCHEDULE_TIMEZONE: 'Asia/Tokyo' })
  const made = await place.json(scheduleJson, 'set', 'nightly', '--cron', '30 2 * * *', '--platform', 'threads', 'meta')
  expect(made).toMatchObject({
    id: 'nightly',
    timezone: 'Asia/Tokyo',
    platforms: ['meta', 'threads'],
    isDefault: false,
  })
  expect(Date.parse(made.nextAt!)).toBeLessThanOrEqual(Date.now() + DAY)
  const limited = await place.run(['set', 'nightly', '--tz', 'Europe/Berlin', '--platform', 'all', '--limit', '3'])
  expect(limited.stdout).toMatch(/^nightly: 30 2 \* \* \* \(Europe\/Berlin\), next in .*20 s\.$/m)
  expect(limited.stdout).toContain('It ends after 3 more of 3 runs.')
  expect(await place.json(scheduleJson, 'set', 'nightly', '--limit', 'none')).toMatchObject({
    platforms: null,
    limit: null,
    warning: null,
  })
  expect(await place.json(scheduleJson, 'off', 'nightly')).toMatchObject({ state: 'off', nextAt: null })
  expect((await place.run([])).stdout).toMatch(/^nightly .* off +-$/m)
  expect(await place.json(scheduleJson, 'on', 'nightly')).toMatchObject({ state: 'on' })

  const { runId, isNew } = await place.json(schedulesRunJson, 'run', 'nightly')
  expect(isNew).toBe(true)
  expect(await place.json(schedulesRunJson, 'run', 'nightly')).toEqual({ runId, isNew: false })
  const [, , shown] = await place.json(schedulesListJson)
  expect(shown).toMatchObject({ id: 'nightly', startedRuns: 0, lastRun: { id: runId, status: 'running' } })

  expect(await place.json(schedulesRemoveJson, 'remove', 'nightly')).toEqual({ removed: 'nightly' })
  await using store = place.open()
  expect(await store.schedules.get('nightly')).toBeNull()
  const audit = await store.audit.list({ limit: 20 })
  expect(audit.map(({ action }) => action)).toEqual([
    'schedule.removed',
    'run.requested',
    ...Array(5).fill('schedule.changed'),
  ])
  expect(audit.every(({ actor, accountId }) => actor === 'cli' && accountId === '')).toBe(true)
})

test('what went by, what is over and how the last run went is told', async () => {
  await using place = await makePlace()
  const now = Date.now()
  {
    await using store = place.open()
    const past = { pattern: '* * * * *', tz: 'UTC', changedAt: now - 3 * DAY, pinnedBy: [] }
    await store.schedules.insert(buildSchedule({ ...past, id: 'missed' }))
    await store.schedules.insert(buildSchedule({ ...past, id: 'over', runLimit: 3, startedRuns: 3 }))
    const counts = { total: 5, refreshed: 4, failed: 1, skipped: 0, deferred: 0 }
    await store.runs.insert({
      id: 'a'.repeat(24),
      scheduleId: 'over',
      occurrence: 'x',
      filter: {},
      requestedBy: 'schedule',
      createdAt: now - 7_300_000,
      startedAt: now - 7_300_000,
      finishedAt: now - 7_200_000,
      cursor: null,
      window: null,
      totals: { ...counts, platforms: {} },
    })
  }
  const { stdout } = await place.run([])
  expect(stdout).toMatch(/^missed .*was not started: no scheduler is running\.$/m)
  expect(stdout).toMatch(/^over .* over +2 h ago: 4 refreshed, 1 failed +Its limit is reached/m)
  const [, , missed, over] = await place.json(schedulesListJson)
  expect(Date.parse(missed!.missedAt!)).toBeLessThan(now)
  expect(over).toMatchObject({ state: 'over', nextAt: null, runsLeft: 0, lastRun: { status: 'finished' } })
})

test.each([
  ['an unknown one', ['off', 'nobody'], 1, /^SCHEDULE_NOT_FOUND: .*tokenkeeper schedules/m],
  ['what the environment sets', ['set', 'meta-daily', '--cron', '0 5 * * *'], 1, /^SCHEDULE_PINNED: .*META_CRON/m],
  ['to remove a default one', ['remove', 'meta-daily'], 2, /^INVALID_REQUEST: .*turn it off/m],
  ['nothing to change', ['set', 'meta-daily'], 2, /^INPUT_MISSING: .*--cron/m],
  ['a pattern that is none', ['set', 'x', '--cron', '61 * * * *'], 2, /cron pattern of 5 or 6 fields/],
  ['a time zone that is none', ['set', 'x', '--tz', 'Mars/Base'], 2, /time zone of the IANA list/],
  ['a limit of nothing', ['set', 'meta-daily', '--limit', '0'], 2, /whole number/],
  ['a name that is none', ['set', 'No Name', '--cron', '0 5 * * *'], 2, /^INVALID_REQUEST: .*small letters/m],
])('%s is refused', async (_, args, code, says) => {
  await using place = await makePlace({ META_CRON: '0 4 * * *' })
  const ran = await place.run(args)
  expect([ran.code, ran.stderr]).toEqual([code, expect.stringMatching(says)])
})

test('a scheduler that runs takes a change over, and starts what was asked for by hand', async () => {
  await using redis = await startRedis()
  await using place = await makePlace()
  const env = { REDIS_URL: redis.url, LOG_FORMAT: 'json' }
  await using served = spawnNode(MAIN, { args: ['serve', '--no-api'], cwd: place.dir, env })
  await served.waitForLine(/serving/)
  await place.json(scheduleJson, 'set', 'often', '--cron', '* * * * * *', '--platform', 'bluesky')
  const { runId } = await place.json(schedulesRunJson, 'run', 'meta-daily')
  const seen = async () => {
    const all = await place.json(schedulesListJson)
    const often = all.find(({ id }) => id === 'often')!
    const daily = all.find(({ id }) => id === 'meta-daily')!
    return often.startedRuns > 1 && daily.lastRun?.id === runId && daily.lastRun.status === 'finished'
  }
  await until(seen, { what: 'the change to be taken over', timeoutMs: 60_000 })
})
