import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Account, makeId } from '@tokenkeeper/core'
import { createSqliteStore, openStore } from '@tokenkeeper/store'
import { mongoForTests, spawnNode, tempDir, until } from '@tokenkeeper/testkit'
import { afterAll, expect, test } from 'vitest'
import { restoreJson } from '../src/json/store.ts'
import { lastLine, MAIN, runCli } from './cli.ts'
import { buildSealed, createKeysWorld, newKey, sealerOf } from './keys-world.ts'
import { successor, writeJournal, writeSpool } from './restore-world.ts'

const ACCOUNTS = 2_000
const KEY = newKey('k1')
const mongo = await mongoForTests('a restore to MongoDB that is killed')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())
const ARGS = ['restore', 'nightly.db', '--journal', '--json']

/** All accounts of a database, but for when they were restored, and what is still to be told, which any worker does. */
async function accountsOf(dataDir: string): Promise<Account[]> {
  await using store = createSqliteStore({ path: join(dataDir, 'tokenkeeper.db') })
  const accounts = await store.accounts.list({ afterId: null, limit: ACCOUNTS + 1 })
  return accounts.map(({ lastAttempt, ...account }) => ({
    ...account,
    lastAttempt: lastAttempt && { ...lastAttempt, at: 0 },
    outbox: [],
  }))
}

test('a restore that is killed by SIGKILL halfway ends, called again, in the same accounts; spooled answers are not lost', async () => {
  await using world = await createKeysWorld()
  await using template = await tempDir()
  const context = await world.open(KEY)
  const accounts = Array.from({ length: ACCOUNTS }, () => buildSealed(sealerOf(KEY), 'http://localhost:1'))
  await Promise.all(accounts.map((account) => context.store.accounts.insert(account)))
  await context[Symbol.asyncDispose]()
  expect((await world.run(KEY, 'backup', 'nightly.db')).code).toBe(0)
  rmSync(world.dataDir, { recursive: true })
  await writeSpool(
    join(world.dataDir, 'spool'),
    accounts.slice(0, 20).map((account) => successor(account, 2, KEY)),
  )
  for (const generation of [3, 4, 5]) {
    const refreshed = accounts.slice(20).map((account) => successor(account, generation, KEY))
    await writeJournal(join(world.dataDir, 'journal'), refreshed)
  }
  cpSync(world.dataDir, template.path, { recursive: true })

  const whole = await world.run(KEY, ...ARGS)
  expect(whole.code).toBe(0)
  const expected = await accountsOf(world.dataDir)
  expect(new Set(expected.map(({ generation }) => generation))).toEqual(new Set([2, 5]))
  rmSync(world.dataDir, { recursive: true })
  cpSync(template.path, world.dataDir, { recursive: true })

  const env = { ...world.env, TOKEN_ENCRYPTION_KEYS: KEY }
  {
    await using killed = spawnNode(MAIN, { args: ARGS, cwd: world.dir, env })
    await killed.waitForLine(/Reading the journal/)
    const stage = join(world.dataDir, readdirSync(world.dataDir).find((name) => /restoring-[0-9a-f]{16}$/.test(name))!)
    await using staged = createSqliteStore({ path: stage })
    const last = accounts.at(-1)!.id
    const middle = accounts[ACCOUNTS / 2]!.id
    await until(async () => (await staged.accounts.get(middle))!.generation > 1, { what: 'the middle', everyMs: 1 })
    killed.kill('SIGKILL')
    expect(await killed.exited).toMatchObject({ signal: 'SIGKILL' })
    expect((await staged.accounts.get(last))!.generation).toBeLessThan(5)
  }
  expect(existsSync(join(world.dataDir, 'tokenkeeper.db'))).toBe(false) // nobody starts on half of it
  const again = await world.run(KEY, ...ARGS)
  expect(again.stderr).toMatch(/^Going on with the restore of this backup that was cut off\.$/m)
  expect(again.code).toBe(0)
  const summary = restoreJson.parse(JSON.parse(lastLine(again.stdout)))
  expect(summary).toMatchObject({ accounts: ACCOUNTS, spooled: 20, stillSpooled: 0 })
  expect(await accountsOf(world.dataDir)).toStrictEqual(expected)
})

test.runIf(mongo)('a copy to MongoDB that is killed by SIGKILL goes on when it is called again', async () => {
  await using world = await createKeysWorld()
  const context = await world.open(KEY)
  const accounts = Array.from({ length: ACCOUNTS }, () => buildSealed(sealerOf(KEY), 'http://localhost:1'))
  await Promise.all(accounts.map((account) => context.store.accounts.insert(account)))
  expect((await world.run(KEY, 'backup', 'nightly.db')).code).toBe(0)
  const url = mongo!.databaseUrl(`test-${makeId()}`)
  const env = { ...world.env, TOKEN_ENCRYPTION_KEYS: KEY, DATABASE_URL: url }
  await using store = await openStore(url)
  {
    await using killed = spawnNode(MAIN, { args: ['restore', 'nightly.db'], cwd: world.dir, env })
    await until(() => store.accounts.count({}), { what: 'the copy to begin', everyMs: 1 })
    killed.kill('SIGKILL')
    expect(await killed.exited).toMatchObject({ signal: 'SIGKILL' })
  }
  expect(await store.accounts.count({})).toBeLessThan(ACCOUNTS)
  const again = await runCli(['restore', 'nightly.db'], { cwd: world.dir, env })
  expect(again.code).toBe(0)
  expect(await store.accounts.count({})).toBe(ACCOUNTS)
  const refused = await runCli(['restore', 'nightly.db'], { cwd: world.dir, env })
  expect([refused.code, lastLine(refused.stderr)]).toEqual([1, expect.stringMatching(/^STORE_NOT_EMPTY: /)])
})
