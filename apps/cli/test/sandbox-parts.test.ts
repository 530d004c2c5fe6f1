import { loadConfig } from '@tokenkeeper/config'
import { type AppContext, createContext } from '@tokenkeeper/context'
import { DAY } from '@tokenkeeper/core'
import { createLoggers } from '@tokenkeeper/telemetry'
import { type TempDir, tempDir } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keepBusy } from '../src/sandbox/keep-busy.ts'
import { PAGES, populate } from '../src/sandbox/populate.ts'
import { openSandbox, type Sandbox } from '../src/sandbox/sandbox.ts'
import { verifyTokens } from '../src/sandbox/verify.ts'

let dir: TempDir
let sandbox: Sandbox
let context: AppContext
beforeAll(async () => {
  dir = await tempDir()
  sandbox = await openSandbox({}, dir.path)
  context = await createContext(loadConfig(sandbox.env), {
    clock: sandbox.graph.emulator.clock,
    loggers: createLoggers({ level: 'silent', format: 'json' }),
  })
  await populate(context, sandbox)
})
afterAll(async () => {
  await context?.[Symbol.asyncDispose]()
  await sandbox?.[Symbol.asyncDispose]()
  await dir[Symbol.asyncDispose]()
})

const accountsOf = (platform: 'bluesky' | 'meta' | 'instagram' | 'threads') =>
  context.store.accounts.list({ platform, afterId: null, limit: 100 })

test('all accounts are due by their age alone, and their hosts agree on it', async () => {
  const now = context.clock.now()
  expect(Math.abs(now - Date.now())).toBeLessThan(60_000)
  for (const [platform, count] of Object.entries({ bluesky: 25, meta: 25, instagram: 10, threads: 10 } as const)) {
    const accounts = await accountsOf(platform as 'meta')
    expect(accounts).toHaveLength(count)
    for (const { nextRefreshAt } of accounts) expect(nextRefreshAt).toBeLessThan(now)
    if (platform === 'bluesky') continue
    for (const { diesAt } of accounts) expect((diesAt! - now) / DAY).toBeCloseTo(6, 1)
  }
})

test('counts the tokens that work, before and after some users have gone', async () => {
  const all = await verifyTokens(context, sandbox.pds)
  expect(all).toEqual({ accessTokensThatWork: 70, pageTokensThatWork: PAGES, pagesFetched: 0 })

  const { control } = sandbox.graph.emulator
  const [owner] = (await accountsOf('meta')).filter(({ displayName }) => displayName === 'Meta user 1')
  control.removeApp({ appId: owner!.providerAppId, userId: owner!.externalId })
  const other = (await accountsOf('meta')).find(({ displayName }) => displayName === 'Meta user 11')
  const [page] = await context.store.pages.ofAccount(other!.id, { afterId: null, limit: 1 })
  control.setRole({ userId: other!.externalId, pageId: page!.externalId, tasks: null })
  const [onInstagram] = await accountsOf('instagram')
  control.logOut({ userId: onInstagram!.externalId })
  const [onThreads] = await accountsOf('threads')
  control.changePassword({ userId: onThreads!.externalId })

  const left = await verifyTokens(context, sandbox.pds)
  expect(left).toEqual({ accessTokensThatWork: 67, pageTokensThatWork: PAGES - 5, pagesFetched: 0 })
})

test('keeps busy with platforms whose tokens may be refreshed at any time', async () => {
  const dueTimes = async () => {
    const accounts = await context.store.accounts.list({ afterId: null, limit: 100 })
    return new Map(accounts.map((account) => [account.id, account]))
  }
  /** Which accounts one round makes due. */
  const oneRound = async (platforms: readonly string[]) => {
    const before = await dueTimes()
    const stop = new AbortController()
    const providers = new Map([...context.providers].filter(([platform]) => platforms.includes(platform)))
    const clock = { ...context.clock, sleep: async () => stop.abort() }
    await keepBusy({ ...context, providers, clock }, stop.signal)
    const after = [...(await dueTimes()).values()]
    return after.filter(({ id, nextRefreshAt }) => nextRefreshAt !== before.get(id)?.nextRefreshAt)
  }
  expect(await oneRound(['instagram', 'threads'])).toEqual([])
  expect(await oneRound(['instagram', 'meta'])).toMatchObject([{ platform: 'meta' }])
  expect(await oneRound(['threads', 'bluesky'])).toMatchObject([{ platform: 'bluesky' }])
})
