import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AppContext } from '@tokenkeeper/context'
import { makeId } from '@tokenkeeper/core'
import { startWorkers } from '@tokenkeeper/queue'
import { createSqliteStore, openStore } from '@tokenkeeper/store'
import { mongoForTests, startRedis } from '@tokenkeeper/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { restoreJson } from '../src/json/store.ts'
import { lastLine, type Ran, runCli } from './cli.ts'
import { buildSealed, createKeysWorld, type KeysWorld, newKey, sealerOf } from './keys-world.ts'
import { successor, writeJournal, writeSpool } from './restore-world.ts'

const KEY = newKey('k1')
const HOST = 'http://localhost:1'
const mongo = await mongoForTests('restoring to MongoDB')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())

/** A world with three accounts, and last night's backup of them. */
async function backedUp() {
  const world = await createKeysWorld()
  const accounts = Array.from({ length: 3 }, () => buildSealed(sealerOf(KEY), HOST))
  const context = await world.open(KEY)
  for (const account of accounts) await context.store.accounts.insert(account)
  const { code } = await world.run(KEY, 'backup', 'nightly.db')
  expect(code).toBe(0)
  return { world, context, accounts }
}

async function lose(world: KeysWorld, context: AppContext): Promise<void> {
  await context[Symbol.asyncDispose]()
  rmSync(join(world.dataDir, 'tokenkeeper.db'))
}

const resultOf = ({ stdout }: Ran) => restoreJson.parse(JSON.parse(lastLine(stdout)))
const refusal = ({ code, stderr }: Ran) => [code, lastLine(stderr)]

test('a lost database is back, with what spools and the journals of all machines hold', async () => {
  const { world, context, accounts } = await backedUp()
  await using _world = world
  await lose(world, context)
  const [one, two, three] = accounts
  await writeSpool(join(world.dataDir, 'spool'), [successor(one!, 2, KEY), successor(two!, 5, KEY)])
  await writeJournal(join(world.dataDir, 'journal'), [successor(two!, 3, KEY), successor(two!, 4, KEY)])
  await writeJournal(join(world.dir, 'of-another-machine'), [successor(three!, 9, KEY)])
  const journals = [join('data', 'journal'), 'of-another-machine']
  const restored = await world.run(KEY, 'restore', 'nightly.db', '--json', '--journal', ...journals)
  expect(resultOf(restored)).toMatchObject({ to: 'sqlite', accounts: 3, spooled: 2, stillSpooled: 0, movedAside: null })
  expect(resultOf(restored).journal).toMatchObject({ refreshed: 2, unknown: 0 })
  expect(restored.code).toBe(0)
  {
    await using store = createSqliteStore({ path: join(world.dataDir, 'tokenkeeper.db') })
    const generations = await Promise.all(accounts.map(async ({ id }) => (await store.accounts.get(id))!.generation))
    expect(generations).toEqual([2, 5, 9])
  }
  expect(readdirSync(world.dataDir).toSorted()).toEqual(['journal', 'spool', 'tokenkeeper.db'])
})

test('without --journal it says what is left out', async () => {
  const { world, context, accounts } = await backedUp()
  await using _world = world
  await lose(world, context)
  await writeJournal(join(world.dataDir, 'journal'), [successor(accounts[0]!, 3, KEY)])
  const restored = await world.run(KEY, 'restore', 'nightly.db')
  expect(restored.stdout).toMatch(/^There is a journal here \(since .*\), and it is left out: .*--journal/m)
  expect(restored.stdout).toMatch(/^Restored nightly\.db: 3 accounts\.$/m)
  expect(restored.code).toBe(0)
})

describe('what stands there', () => {
  test('is not touched while somebody has it open', async () => {
    const { world } = await backedUp()
    await using _world = world
    expect(refusal(await world.run(KEY, 'restore', 'nightly.db', '--replace'))).toEqual([
      1,
      expect.stringMatching(/^STORE_IN_USE: .*Stop all/),
    ])
    expect(readdirSync(world.dataDir).filter((name) => name.includes('restoring'))).toEqual([])
  })

  test('is not touched while Redis knows of workers, but with --force', async () => {
    const { world, context } = await backedUp()
    await using _world = world
    await using redis = await startRedis()
    await lose(world, context)
    const env = { ...world.env, REDIS_URL: redis.url, QUEUE_PREFIX: `{${makeId()}}` }
    const other = await createKeysWorld({ env: { REDIS_URL: redis.url, QUEUE_PREFIX: env.QUEUE_PREFIX } })
    await using _other = other
    const fleet = await other.open(KEY)
    await using _workers = await startWorkers(await fleet.connectRedis())
    const restore = (...args: string[]) =>
      runCli(['restore', 'nightly.db', ...args], { cwd: world.dir, env: { ...env, TOKEN_ENCRYPTION_KEYS: KEY } })
    expect(refusal(await restore())).toEqual([1, expect.stringMatching(/^STORE_IN_USE: Redis knows 1 workers/)])
    expect(readdirSync(world.dataDir).filter((name) => name.startsWith('tokenkeeper'))).toEqual([])
    expect((await restore('--force')).code).toBe(0)
  })

  test('is kept: refused, or moved aside by --replace, with its accounts', async () => {
    const { world, context, accounts } = await backedUp()
    await using _world = world
    const newer = buildSealed(sealerOf(KEY), HOST)
    await context.store.accounts.insert(newer)
    await context[Symbol.asyncDispose]()
    expect(refusal(await world.run(KEY, 'restore', 'nightly.db'))).toEqual([
      1,
      expect.stringMatching(/^STORE_NOT_EMPTY: .*--replace/),
    ])
    const replaced = await world.run(KEY, 'restore', 'nightly.db', '--replace', '--json')
    const { movedAside } = resultOf(replaced)
    await using aside = createSqliteStore({ path: movedAside! })
    expect(await aside.accounts.get(newer.id)).toStrictEqual(newer)
    await using store = createSqliteStore({ path: join(world.dataDir, 'tokenkeeper.db') })
    expect(await store.accounts.count({})).toBe(accounts.length)
  })

  test('an empty or damaged database does not keep its place', async () => {
    const { world, context } = await backedUp()
    await using _world = world
    await lose(world, context)
    await using empty = createSqliteStore({ path: join(world.dataDir, 'tokenkeeper.db') })
    await empty.ping()
    await empty[Symbol.asyncDispose]()
    expect((await world.run(KEY, 'restore', 'nightly.db')).code).toBe(0)
    writeFileSync(join(world.dataDir, 'tokenkeeper.db'), 'damaged'.repeat(1_000))
    expect((await world.run(KEY, 'restore', 'nightly.db')).code).toBe(1)
    expect((await world.run(KEY, 'restore', 'nightly.db', '--replace')).code).toBe(0)
  })
})

describe('what is asked for', () => {
  test('must be a backup, whole and ours, and be there', async () => {
    const { world, context } = await backedUp()
    await using _world = world
    await lose(world, context)
    writeFileSync(join(world.dir, 'notes.txt'), 'no database')
    appendFileSync(join(world.dir, 'empty.db'), '')
    for (const name of ['notes.txt', 'empty.db']) {
      expect(refusal(await world.run(KEY, 'restore', name))).toEqual([1, expect.stringMatching(/^BACKUP_INVALID: /)])
    }
    expect(refusal(await world.run(KEY, 'restore', 'none.db'))).toEqual([2, expect.stringMatching(/^INPUT_MISSING: /)])
    expect(refusal(await world.run(KEY, 'restore', 'nightly.db', '--journal', 'none'))).toEqual([
      2,
      expect.stringMatching(/^INPUT_MISSING: There is no directory none/),
    ])
    expect(readdirSync(world.dataDir)).toEqual([])
  })

  test('needs its keys: without one nothing is done, but with --force', async () => {
    const { world, context } = await backedUp()
    await using _world = world
    await lose(world, context)
    const other = newKey('k2')
    expect(refusal(await world.run(other, 'restore', 'nightly.db'))).toEqual([
      1,
      expect.stringMatching(/^KEY_MISSING: .*: k1\. Put them into TOKEN_ENCRYPTION_KEYS/),
    ])
    expect(existsSync(join(world.dataDir, 'tokenkeeper.db'))).toBe(false)
    const forced = await world.run(other, 'restore', 'nightly.db', '--force', '--json')
    expect(resultOf(forced)).toMatchObject({ accounts: 3, missingKeys: ['k1'] })
    expect(forced.code).toBe(1)
  })

  test('what the journal holds and cannot be brought in is told, with exit 1', async () => {
    const { world, context, accounts } = await backedUp()
    await using _world = world
    await lose(world, context)
    const journal = join(world.dataDir, 'journal')
    mkdirSync(journal)
    await writeJournal(journal, [successor(accounts[0]!, 3, newKey('k9')), successor(accounts[1]!, 3, KEY)])
    const restored = await world.run(KEY, 'restore', 'nightly.db', '--journal')
    expect(restored.code).toBe(1)
    expect(restored.stdout).toMatch(/^1 newer credentials do not open: .*TOKEN_ENCRYPTION_KEYS/m)
    expect(restored.stdout).toMatch(/^See to that before you start Tokenkeeper again\.$/m)
  })
})

describe.runIf(mongo)('to MongoDB', () => {
  test('an empty database takes it; one that is in use is left alone', async () => {
    const { world, context, accounts } = await backedUp()
    await using _world = world
    await lose(world, context)
    await writeJournal(join(world.dataDir, 'journal'), [successor(accounts[0]!, 3, KEY)])
    const url = mongo!.databaseUrl(`test-${makeId()}`)
    const env = { ...world.env, TOKEN_ENCRYPTION_KEYS: KEY, DATABASE_URL: url }
    const restore = (...args: string[]) => runCli(['restore', 'nightly.db', ...args], { cwd: world.dir, env })
    const restored = await restore('--journal', '--json')
    expect(resultOf(restored)).toMatchObject({ to: 'mongodb', accounts: 3, journal: { refreshed: 1 } })
    expect(restored.code).toBe(0)
    await using store = await openStore(url)
    expect(await store.accounts.get(accounts[0]!.id)).toMatchObject({ generation: 3 })
    expect(await store.accounts.get(accounts[1]!.id)).toStrictEqual(accounts[1])
    expect(readdirSync(world.dataDir)).toEqual(['journal'])
    expect(refusal(await restore('--replace'))).toEqual([1, expect.stringMatching(/^STORE_NOT_EMPTY: .*DATABASE_URL/)])
    expect(readdirSync(world.dataDir)).toEqual(['journal'])
  })
})
