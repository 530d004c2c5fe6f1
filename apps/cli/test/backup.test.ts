import { closeSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AppContext } from '@tokenkeeper/context'
import { createSqliteStore } from '@tokenkeeper/store'
import { mongoForTests, startInstantHost } from '@tokenkeeper/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { backupJson } from '../src/json/store.ts'
import { lastLine } from './cli.ts'
import { buildSealed, createKeysWorld, newKey, sealerOf } from './keys-world.ts'

const ACCOUNTS = 1_000
const KEY = newKey('k1')
const mongo = await mongoForTests('backups of MongoDB')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())
const stores = [['sqlite', {}] as const, ...(mongo ? [['mongodb', { mongo }] as const] : [])]

async function fill({ store }: AppContext, hostUrl: string): Promise<string[]> {
  const sealer = sealerOf(KEY)
  const accounts = Array.from({ length: ACCOUNTS }, () => buildSealed(sealer, hostUrl))
  await Promise.all(accounts.map((account) => store.accounts.insert(account)))
  return accounts.map(({ id }) => id)
}

describe.each(stores)('from %s', (from, options) => {
  test('a backup under load is one whole file: each account with the credential of its generation', async () => {
    await using world = await createKeysWorld(options)
    await using host = await startInstantHost()
    const context = await world.open(KEY)
    const ids = await fill(context, host.url)
    const stop = new AbortController()
    let refreshes = 0
    const lane = async (offset: number) => {
      for (let i = offset; !stop.signal.aborted; i++) {
        await context.engine.refreshAccount(ids[i % ACCOUNTS]!, { type: 'scheduled', force: true })
        refreshes++
      }
    }
    const load = Promise.all(Array.from({ length: 10 }, (_, i) => lane(i * 100)))
    const before = refreshes
    const ran = await world.run(KEY, 'backup', 'nightly.db', '--json')
    const during = refreshes - before
    stop.abort()
    await load

    expect(ran.code).toBe(0)
    const summary = backupJson.parse(JSON.parse(lastLine(ran.stdout)))
    expect(summary).toMatchObject({ file: 'nightly.db', from, tables: { accounts: ACCOUNTS } })
    expect(summary.journal).toMatchObject({ files: 1, writable: true, since: expect.any(String) })
    expect(during).toBeGreaterThan(0)
    const path = join(world.dir, 'nightly.db')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(path).size).toBe(summary.bytes)
    expect(readdirSync(world.dir).toSorted()).toEqual(['data', 'nightly.db'])

    await using backup = createSqliteStore({ path })
    const sealer = sealerOf(KEY)
    let refreshed = 0
    for (const { id, generation, sealedCredential } of await backup.accounts.getMany(ids)) {
      const { refreshToken } = JSON.parse(sealer.open(sealedCredential, id, 'credential'))
      const { jti } = JSON.parse(Buffer.from(refreshToken.split('.')[1], 'base64url').toString())
      expect(Number(jti)).toBe(generation) // the host counts as we do
      if (generation > 1) refreshed++
    }
    expect(refreshed).toBeGreaterThan(0)
  })
})

test('it says what is not in it, in words; and takes no name that is taken', async () => {
  await using world = await createKeysWorld()
  await fill(await world.open(KEY), 'http://localhost:1')
  const { code, stdout } = await world.run(KEY, 'backup', 'nightly.db')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^accounts +1000$/m)
  expect(stdout).toMatch(/TOKEN_ENCRYPTION_KEYS/)
  expect(stdout).toMatch(/data\/journal, still empty/)

  writeFileSync(join(world.dir, 'taken.db'), 'precious')
  const taken = await world.run(KEY, 'backup', 'taken.db')
  expect([taken.code, taken.stderr]).toEqual([1, expect.stringMatching(/^BACKUP_EXISTS: /)])
  // A disk that is not mounted.
  const below = await world.run(KEY, 'backup', 'backups/nightly.db')
  expect([below.code, below.stderr]).toEqual([1, expect.stringMatching(/^BACKUP_UNWRITABLE: /)])
  expect(readdirSync(world.dir)).toEqual(['data', 'nightly.db', 'taken.db'])
})

test('of nothing there is no backup, nor of what is damaged', async () => {
  await using world = await createKeysWorld()
  const missing = await world.run(KEY, 'backup', 'nightly.db')
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/^STORE_NOT_FOUND: /m)])
  expect(readdirSync(world.dir)).toEqual([])

  const context = await world.open(KEY)
  await fill(context, 'http://localhost:1')
  await context[Symbol.asyncDispose]()
  overwriteIndex(join(world.dataDir, 'tokenkeeper.db'))
  const damaged = await world.run(KEY, 'backup', 'nightly.db')
  expect([damaged.code, damaged.stderr]).toEqual([1, expect.stringMatching(/^BACKUP_INVALID: /m)])
  expect(readdirSync(world.dir)).toEqual(['data'])
})

/** Damages one page, which nothing but a full check reads. */
function overwriteIndex(path: string): void {
  using db = new DatabaseSync(path)
  const rootPage = Number(db.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'accounts_due'`).get()?.rootpage)
  const pageSize = Number(db.prepare('PRAGMA page_size').get()?.page_size)
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(pageSize, 1), 0, pageSize, (rootPage - 1) * pageSize)
  closeSync(file)
}
