import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Account, DAY, HOUR, haltIdOf, MINUTE, type Page, type RefreshLogEntry } from '@tokenkeeper/core'
import { createSqliteStore } from '@tokenkeeper/store'
import { buildAccount, buildAttempt, buildHalt, buildLogEntry, buildPage } from '@tokenkeeper/store/conformance'
import { tempDir } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { expiringJson, explainJson, logJson, statsJson } from '../src/json/reports.ts'
import { type Ran, runCli } from './cli.ts'

type Place = Awaited<ReturnType<typeof makePlace>>

async function makePlace() {
  await using stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const store = stack.use(createSqliteStore({ path: join(dir.path, '.data/tokenkeeper.db') }))
  const rest = stack.move()
  const run = (...args: string[]): Promise<Ran> => runCli(args, { cwd: dir.path, env: {} })
  return {
    store,
    run,
    async json<T extends z.ZodType>(schema: T, ...args: string[]): Promise<z.infer<T>> {
      const { code, stdout, stderr } = await run(...args, '--json')
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout.trim().split('\n')).toHaveLength(1)
      return schema.parse(JSON.parse(stdout))
    },
    /** What people see; nothing of what is sealed. */
    async text(...args: string[]): Promise<string> {
      const { code, stdout, stderr } = await run(...args)
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).not.toMatch(/v1\.key-1/)
      return stdout
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  }
}

const NOW = Date.now()
const iso = (time: number) => new Date(time).toISOString()

test('where there is no database yet, there is nothing to report, and none is made', async () => {
  await using dir = await tempDir()
  const run = (...args: string[]) => runCli(args, { cwd: dir.path, env: {} })
  const none = 'There is no database at .data/tokenkeeper.db yet.\n'
  expect(await run('expiring')).toEqual({ code: 0, stdout: 'Nothing expires within 7 days.\n', stderr: none })
  expect((await run('expiring', '--expired')).stdout).toBe('Nothing has expired.\n')
  expect((await run('log')).stdout).toBe('Nothing was refreshed yet.\n')
  expect((await run('stats')).stdout).toBe('Nothing was refreshed in the last 30 days.\n')
  expect(await run('explain', '0'.repeat(24))).toMatchObject({ code: 1, stderr: expect.stringMatching(UNKNOWN) })
  expect(await readdir(dir.path)).toEqual([])
})

const UNKNOWN = /^ACCOUNT_NOT_FOUND: There is no account of this id\. `pnpm tokenkeeper accounts list` shows/m

describe('expiring', () => {
  let place: Place
  const account = (name: string, fields: Partial<Account>) =>
    buildAccount({ displayName: name, platform: 'meta', diesAt: NOW + 50 * DAY, nextRefreshAt: NOW + DAY, ...fields })
  const page = (of: Account, name: string, fields: Partial<Page>) => buildPage({ accountId: of.id, name, ...fields })
  const soon = account('soon', { diesAt: NOW + 2 * DAY + HOUR })
  const consent = account('consent', { dataAccessExpiresAt: NOW + DAY + HOUR })
  const session = account('session', { platform: 'bluesky', diesAt: NOW + 5 * DAY + HOUR, status: 'paused' })
  const dead = account('dead', { diesAt: NOW - DAY, status: 'needs_reconnect', statusReason: 'META_TOKEN_EXPIRED' })
  const healthy = account('healthy', {})
  const bakery = page(healthy, 'Bakery', { tokenExpiresAt: NOW + 3 * DAY + HOUR })
  const closed = page(healthy, 'Closed', { tokenExpiresAt: NOW - 2 * DAY, status: 'lost' })
  beforeAll(async () => {
    place = await makePlace()
    const removing = account('removing', { diesAt: NOW + DAY, status: 'removing' })
    for (const one of [soon, consent, session, dead, healthy, removing]) await place.store.accounts.insert(one)
    await place.store.pages.put([
      bakery,
      closed,
      page(removing, 'Gone', { tokenExpiresAt: NOW + DAY }),
      page(soon, 'Endless', {}),
    ])
  })
  afterAll(() => place[Symbol.asyncDispose]())

  test('accounts and Pages by their days left, and what ends', async () => {
    const { expiring, more } = await place.json(expiringJson, 'expiring')
    expect(more).toBe(false)
    expect(expiring.map(({ name, daysLeft, endOf }) => [name, daysLeft, endOf])).toEqual([
      ['consent', 1, 'data_access'],
      ['soon', 2, 'token'],
      ['Bakery', 3, 'token'],
      ['session', 5, 'token'],
    ])
    const { id, status, statusReason, platform } = soon
    expect(expiring[1]).toEqual({
      kind: 'account',
      id,
      accountId: id,
      platform,
      name: 'soon',
      status,
      statusReason,
      endOf: 'token',
      endsAt: iso(soon.diesAt!),
      daysLeft: 2,
      nextRefreshAt: iso(NOW + DAY),
    })
    expect(expiring[2]).toMatchObject({ kind: 'page', id: bakery.id, accountId: healthy.id, platform: 'meta' })
    // Nothing refreshes it while it is paused.
    expect(expiring[3]).toMatchObject({ nextRefreshAt: null })

    const text = await place.text('expiring')
    expect(text).toMatch(
      new RegExp(
        `^ +1 +account +meta +consent +${consent.id} +active +data access, ${iso(NOW + DAY + HOUR).slice(0, 16)}Z +in 23 h$`,
        'm',
      ),
    )
    expect(text).toMatch(new RegExp(`^ +3 +Page +meta +Bakery \\(of healthy\\) +${bakery.id} +active +token, `, 'm'))
    expect(text).not.toMatch(/removing|Gone|Endless|dead/)
  })

  test('by days and platform, and those that are over', async () => {
    const names = async (...args: string[]) =>
      (await place.json(expiringJson, 'expiring', ...args)).expiring.map(({ name, daysLeft }) => [name, daysLeft])
    expect(await names('--days', '2')).toEqual([['consent', 1]])
    expect(await names('--platform', 'bluesky')).toEqual([['session', 5]])
    expect(await names('--days', '60', '--platform', 'meta')).toHaveLength(4)
    expect(await names('--expired')).toEqual([
      ['Closed', expect.closeTo(-2, 0)],
      ['dead', expect.closeTo(-1, 0)],
    ])
    expect(await place.text('expiring', '--expired', '--platform', 'bluesky')).toBe('Nothing has expired.\n')
  })

  test('a limit is told', async () => {
    const { expiring, more } = await place.json(expiringJson, 'expiring', '--limit', '3')
    expect([expiring.length, more]).toEqual([3, true])
    expect(await place.text('expiring', '--limit', '3')).toContain('There are more than 3: --limit shows them.')
    expect((await place.json(expiringJson, 'expiring', '--limit', '4')).more).toBe(false)
  })

  test('wrong calls', async () => {
    for (const args of [
      ['--days', '0'],
      ['--days', '3', '--expired'],
      ['--platform', 'myspace'],
    ]) {
      expect((await place.run('expiring', ...args)).code).toBe(2)
    }
  })
})

describe('log and stats', () => {
  let place: Place
  const ada = buildAccount({ displayName: 'ada', platform: 'meta' })
  const bob = buildAccount({ displayName: 'bob.test' })
  const bakery = buildPage({ accountId: ada.id, name: 'Bakery' })
  const entry = (minutesAgo: number, account: Account, fields: Partial<RefreshLogEntry> = {}) =>
    buildLogEntry({
      accountId: account.id,
      refreshedAt: NOW - minutesAgo * MINUTE,
      oldExpiresAt: null,
      newExpiresAt: null,
      ...fields,
    })
  const timeOut = {
    outcome: 'ambiguous',
    success: false,
    errorClass: 'transient',
    errorCode: 'PROVIDER_TIMEOUT',
  } as const
  const refreshed = entry(10, ada, { oldExpiresAt: NOW + DAY, newExpiresAt: NOW + 60 * DAY, extension: 'extended' })
  const ofPage = entry(9, ada, { id: `${refreshed.id}:${bakery.id}`, pageId: bakery.id })
  const failed = entry(20, bob, {
    ...timeOut,
    errorMessage: 'The provider did not answer in time.',
    refreshType: 'manual',
    oldExpiresAt: NOW + HOUR,
  })
  const old = entry(31 * 24 * 60, bob)
  beforeAll(async () => {
    place = await makePlace()
    for (const account of [ada, bob]) await place.store.accounts.insert(account)
    await place.store.pages.put([bakery])
    const some = Array.from({ length: 10 }, (_, i) => entry(100 + i, bob, i ? {} : timeOut))
    const others = [
      entry(200, bob, { outcome: 'interrupted', success: false }),
      entry(300, ada, { refreshType: 'test' }),
    ]
    await place.store.log.put([refreshed, ofPage, failed, old, ...some, ...others])
  })
  afterAll(() => place[Symbol.asyncDispose]())

  test('the ten latest, the newest first, Pages as Pages, with the ends before and after', async () => {
    const lines = await place.json(logJson, 'log')
    expect(lines).toHaveLength(10)
    expect(lines.slice(0, 3).map(({ id }) => id)).toEqual([ofPage.id, refreshed.id, failed.id])
    expect(lines[0]).toMatchObject({ pageId: bakery.id, pageName: 'Bakery', name: 'ada', platform: 'meta' })
    expect(lines[1]).toEqual({
      id: refreshed.id,
      at: iso(refreshed.refreshedAt),
      accountId: ada.id,
      name: 'ada',
      platform: 'meta',
      pageId: null,
      pageName: null,
      refreshType: 'scheduled',
      outcome: 'refreshed',
      success: true,
      errorCode: null,
      errorMessage: null,
      oldExpiresAt: iso(NOW + DAY),
      newExpiresAt: iso(NOW + 60 * DAY),
      extension: 'extended',
      generation: 1,
      durationMs: 12,
    })
    const text = await place.text('log', '--limit', '3')
    const minute = (time: number) => iso(time).slice(0, 16).replace('T', ' ')
    expect(text).toMatch(/^\S+ +Page Bakery \(of ada\) +scheduled +refreshed +12 ms +-$/m)
    expect(text).toMatch(new RegExp(`^\\S+ +ada +.*12 ms +${minute(NOW + DAY)} -> ${minute(NOW + 60 * DAY)}$`, 'm'))
    expect(text).toMatch(
      new RegExp(`^\\S+ +bob\\.test +manual +ambiguous +12 ms +${minute(NOW + HOUR)} +PROVIDER_TIMEOUT: The`, 'm'),
    )
  })

  test('failures alone, and those of one account', async () => {
    const outcomes = async (...args: string[]) =>
      (await place.json(logJson, 'log', ...args)).map(({ outcome }) => outcome)
    expect(await outcomes('--failed')).toEqual(['ambiguous', 'ambiguous', 'interrupted'])
    expect(await outcomes('--account', ada.id)).toEqual(['refreshed', 'refreshed', 'refreshed'])
    expect(await outcomes('--account', bob.id, '--failed', '--limit', '2')).toEqual(['ambiguous', 'ambiguous'])
    for (const id of ['0'.repeat(24), 'ada']) {
      expect(await place.run('log', '--account', id)).toMatchObject({ code: 1, stderr: expect.stringMatching(UNKNOWN) })
    }
  })

  test('statistics: success by refresh type, Pages apart, and why the others failed', async () => {
    const stats = await place.json(statsJson, 'stats')
    expect(stats).toMatchObject({ days: 30, total: 14, successful: 11, successRate: 0.7857 })
    expect(stats.types).toEqual([
      { refreshType: 'manual', ofPages: false, total: 1, successful: 0, successRate: 0 },
      { refreshType: 'scheduled', ofPages: false, total: 12, successful: 10, successRate: 0.8333 },
      { refreshType: 'scheduled', ofPages: true, total: 1, successful: 1, successRate: 1 },
      { refreshType: 'test', ofPages: false, total: 1, successful: 1, successRate: 1 },
    ])
    expect(stats.failures.map(({ errorCode, outcome, count }) => [errorCode, outcome, count])).toEqual([
      ['PROVIDER_TIMEOUT', 'ambiguous', 2],
      [null, 'interrupted', 1],
    ])
    expect((await place.json(statsJson, 'stats', '--days', '60')).total).toBe(15)

    const text = await place.text('stats')
    expect(text).toMatch(/^scheduled +12 +10 +83\.33 %$/m)
    expect(text).toMatch(/^scheduled, Pages +1 +1 +100\.00 %$/m)
    expect(text).toMatch(/^all but tests +14 +11 +78\.57 %$/m)
    expect(text).toMatch(/^ +2 +PROVIDER_TIMEOUT: The provider did not answer in time\. +2\d min ago$/m)
    expect(text).toMatch(/^ +1 +interrupted: Its process died/m)
  })
})

describe('explain', () => {
  test('why, when next, what stands, and which token led to which', async () => {
    await using place = await makePlace()
    const attempt = buildAttempt({
      state: 'released',
      unknownSince: NOW - MINUTE,
      firstSentAt: NOW - MINUTE,
      notBefore: NOW + 50 * MINUTE,
    })
    const account = buildAccount({ displayName: 'ada.test', generation: 2, attempt })
    await place.store.accounts.insert(account)
    await place.store.log.put([
      buildLogEntry({ accountId: account.id, generation: 1, refreshedAt: NOW - DAY, tokenDigest: 'digest-1' }),
      buildLogEntry({
        id: attempt.id,
        accountId: account.id,
        generation: 2,
        outcome: 'ambiguous',
        success: false,
        errorCode: 'PROVIDER_TIMEOUT',
        refreshedAt: NOW - MINUTE,
        tokenDigest: 'digest-2',
      }),
    ])
    const explained = await place.json(explainJson, 'explain', account.id)
    expect(explained).toMatchObject({
      account: { id: account.id, platform: 'bluesky', name: 'ada.test', status: 'active', generation: 2 },
      isDue: false,
      nextAt: iso(NOW + 50 * MINUTE),
      why: { code: 'OUTCOME_UNKNOWN', at: iso(NOW + 50 * MINUTE) },
      attempt: { id: attempt.id, state: 'released', notBefore: iso(NOW + 50 * MINUTE), leaseUntil: null },
    })
    expect(explained.findings.map(({ code }) => code)).toEqual(expect.arrayContaining(['GRACE_LASTS', 'TOKEN_ENDS']))
    expect(
      explained.lineage.map(({ generation, attempts }) => [generation, attempts.map((one) => one.tokenDigest)]),
    ).toEqual([
      [2, ['digest-2']],
      [1, ['digest-1']],
    ])
    const text = await place.text('explain', account.id)
    expect(text).toMatch(new RegExp(`^ada\\.test \\(bluesky ${account.id}\\): active$`, 'm'))
    expect(text).toMatch(/^Next: in 4\d min$/m)
    expect(text).toMatch(/^OUTCOME_UNKNOWN +It is not known how its last attempt ended: .* in 4\d min$/m)
    expect(text).toMatch(/^ +2 +digest-2 +ambiguous +scheduled +.* ago +PROVIDER_TIMEOUT$/m)
    expect(text).toMatch(/^ +1 +digest-1 +refreshed +scheduled +1 d ago$/m)
  })

  test('that the platform is halted, and that it is not configured here', async () => {
    await using place = await makePlace()
    const account = buildAccount({ platform: 'meta', providerAppId: 'app-1', nextRefreshAt: NOW - HOUR })
    await place.store.accounts.insert(account)
    const halt = buildHalt({ providerAppId: 'app-1', since: NOW - HOUR, probeAt: NOW + 10 * MINUTE })
    expect(halt.id).toBe(haltIdOf('meta', 'app-1'))
    await place.store.halts.insert(halt)
    const explained = await place.json(explainJson, 'explain', account.id)
    expect(explained).toMatchObject({
      isDue: false,
      nextAt: iso(NOW + 10 * MINUTE),
      why: { code: 'HALTED' },
      attempt: null,
    })
    expect(explained.findings[0]?.code).toBe('PLATFORM_OFF')
  })

  test('an account that is not there', async () => {
    await using place = await makePlace()
    await place.store.accounts.insert(buildAccount())
    for (const id of ['0'.repeat(24), 'ada.test']) {
      const { code, stdout, stderr } = await place.run('explain', id, '--json')
      expect([code, JSON.parse(stdout).error.code]).toEqual([1, 'ACCOUNT_NOT_FOUND'])
      expect(stderr).toMatch(UNKNOWN)
    }
    expect((await place.run('explain')).code).toBe(2)
  })
})
