import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '@tokenkeeper/config'
import { type AppContext, createContext } from '@tokenkeeper/context'
import { HOUR, MINUTE } from '@tokenkeeper/core'
import { openCredential } from '@tokenkeeper/engine'
import { createClockFile, type PdsAccount, startPds, tempDir } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { backupJson, restoreJson } from '../src/json/store.ts'
import { lastLine, runCli } from '../test/cli.ts'

const ACCOUNTS = 12

/** A real PDS, whose clock moves, and installations with the same keys; commands are real processes. */
async function createWorld() {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const clockFile = stack.use(createClockFile(join(dir.path, 'clock')))
  const pds = stack.use(await startPds({ clockFile: clockFile.path }))
  const common = {
    TOKEN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    REDIS_URL: 'redis://127.0.0.1:1',
    PLC_URL: pds.plcUrl,
    ALLOWED_PRIVATE_HOSTS: 'localhost',
    LOG_LEVEL: 'error',
  }
  const envOf = (name: string) => ({ ...common, DATA_DIR: join(dir.path, name) })

  async function connect({ engine }: AppContext, user: PdsAccount) {
    const claims = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
    const { aud, exp } = claims(user.refreshJwt)
    const login = {
      platform: 'bluesky' as const,
      providerAppId: '',
      externalId: user.did,
      displayName: user.handle,
      serviceUrl: pds.url,
      issuer: aud,
      scopes: [],
      credential: { accessToken: user.accessJwt, refreshToken: user.refreshJwt },
      accessExpiresAt: claims(user.accessJwt).exp * 1_000,
      diesAt: exp * 1_000,
    }
    return engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
  }

  return {
    pds,
    clockFile,
    connect,
    openContext: (name: string) => createContext(loadConfig(envOf(name)), { clock: clockFile.clock }),
    run: (name: string, ...args: string[]) => runCli(args, { cwd: dir.path, env: envOf(name) }),
    lose(name: string) {
      for (const end of ['', '-wal', '-shm']) rmSync(join(dir.path, name, `tokenkeeper.db${end}`), { force: true })
    },
    /** Refreshes each once, as a run does; returns what became of them. */
    refreshAll: async ({ engine }: AppContext, ids: readonly string[]) => {
      const outcomes = await Promise.all(ids.map((id) => engine.refreshAccount(id, { type: 'scheduled', force: true })))
      return outcomes.map(({ kind }) => kind)
    },
    async works({ store, sealer }: AppContext, id: string) {
      const account = await store.accounts.get(id)
      const { accessToken } = openCredential(sealer, id, account!.sealedCredential)
      return (await pds.getSession(accessToken)).status === 200
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test('days after the backup, long past the grace, the journal brings every session back; without it they are dead', async () => {
  await using world = await createWorld()
  const users = await world.pds.createAccounts(ACCOUNTS + 1)
  const ids: string[] = []
  let [removed, late] = ['', '']
  {
    await using context = await world.openContext('data')
    for (const user of users.slice(0, ACCOUNTS)) ids.push((await world.connect(context, user)).id)

    const stop = new AbortController()
    const load = (async () => {
      while (!stop.signal.aborted) await world.refreshAll(context, ids)
    })()
    const backup = await world.run('data', 'backup', 'nightly.db', '--json')
    stop.abort()
    await load
    expect(backupJson.parse(JSON.parse(lastLine(backup.stdout)))).toMatchObject({ tables: { accounts: ACCOUNTS } })
    expect(backup.code).toBe(0)

    for (let round = 0; round < 3; round++) {
      world.clockFile.advance(3 * HOUR)
      expect(new Set(await world.refreshAll(context, ids))).toEqual(new Set(['refreshed']))
    }
    late = (await world.connect(context, { ...users[ACCOUNTS]!, ...(await freshSession(world, users[ACCOUNTS]!)) })).id
    removed = ids.pop()!
    await context.engine.removeAccount(removed, 'test')
    world.clockFile.advance(3 * HOUR)
    expect(await world.refreshAll(context, [late])).toEqual(['refreshed'])
  }
  world.clockFile.advance(3 * HOUR)
  world.lose('data')

  // As if the journal were lost with the database.
  const without = await world.run('elsewhere', 'restore', 'nightly.db', '--json')
  expect(restoreJson.parse(JSON.parse(lastLine(without.stdout)))).toMatchObject({ accounts: ACCOUNTS, journal: null })
  {
    await using context = await world.openContext('elsewhere')
    expect(await world.refreshAll(context, ids)).not.toContain('refreshed')
    // Where the backup met a refresh in flight, nothing is believed for a day.
    for (const wait of [6 * MINUTE, 25 * HOUR, 6 * MINUTE]) {
      world.clockFile.advance(wait)
      expect(await world.refreshAll(context, ids)).not.toContain('refreshed')
    }
    const accounts = await context.store.accounts.getMany(ids)
    expect(accounts.map(({ status }) => status)).toEqual(ids.map(() => 'needs_reconnect'))
  }

  const restored = await world.run('data', 'restore', 'nightly.db', '--journal', '--json')
  expect(restored.stderr).toContain('Start Tokenkeeper again.')
  expect(restored.code).toBe(0)
  const summary = restoreJson.parse(JSON.parse(lastLine(restored.stdout)))
  expect(summary).toMatchObject({ to: 'sqlite', movedAside: null, accounts: ACCOUNTS, missingKeys: [] })
  expect(summary.journal).toMatchObject({ connected: 1, removed: 1, unopened: 0, unknown: 0, unreadable: 0, taken: 0 })
  expect(summary.journal!.refreshed).toBeGreaterThanOrEqual(ACCOUNTS)
  {
    await using context = await world.openContext('data')
    expect(await context.store.accounts.get(removed)).toBeNull()
    const all = [...ids, late]
    expect(await world.refreshAll(context, all)).toEqual(all.map(() => 'refreshed'))
    for (const id of all) expect(await world.works(context, id)).toBe(true)
    for (const id of ids) {
      const entries = await context.store.log.list({ accountId: id, limit: 1_000 })
      expect(new Set(entries.map((entry) => entry.id)).size).toBe(entries.length)
    }
  }
})

/** The access token of its making is over by now. */
async function freshSession({ pds }: Awaited<ReturnType<typeof createWorld>>, user: PdsAccount) {
  const { accessJwt, refreshJwt } = (await pds.createSession(user.did, user.password)).body
  return { accessJwt, refreshJwt }
}
