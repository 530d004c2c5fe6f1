import { execFileSync } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Account, systemClock } from '@tokenkeeper/core'
import { inspectSpool } from '@tokenkeeper/engine'
import { createSqliteStore } from '@tokenkeeper/store'
import { spawnNode, tempDir, until } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { sqliteTarget } from '../src/restore/sqlite-target.ts'
import { openStage } from '../src/restore/stage.ts'
import { MAIN } from './cli.ts'
import { buildSealed, createKeysWorld, newKey, sealerOf } from './keys-world.ts'
import { successor, writeSpool } from './restore-world.ts'

const KEY = newKey('k1')
const JOURNAL_FILE = `2026-02-01-1-${'0'.repeat(24)}.ndjson`

/** A world whose only account is in a backup and, with its `-wal`, in a database that is still open. */
async function backedUp() {
  const world = await createKeysWorld()
  const account = buildSealed(sealerOf(KEY), 'http://localhost:1')
  const context = await world.open(KEY)
  await context.store.accounts.insert(account)
  expect((await world.run(KEY, 'backup', 'nightly.db')).code).toBe(0)
  const database = join(world.dataDir, 'tokenkeeper.db')
  return { world, account, context, database }
}

async function lost() {
  const made = await backedUp()
  await made.context[Symbol.asyncDispose]()
  rmSync(made.database)
  return made
}

async function standing(path: string, { id }: Account): Promise<Account | null> {
  await using store = createSqliteStore({ path })
  return store.accounts.get(id)
}

test('what SQLite left beside a database that is gone is moved aside, and not written into the restored one', async () => {
  const { world, account, context, database } = await backedUp()
  await using _world = world
  await context.store.accounts.write({
    name: 'x',
    accountId: account.id,
    when: {},
    change: { set: { displayName: 'later' } },
  })
  copyFileSync(`${database}-wal`, join(world.dir, 'left-over'))
  await context[Symbol.asyncDispose]()
  rmSync(database)
  copyFileSync(join(world.dir, 'left-over'), `${database}-wal`)
  expect((await world.run(KEY, 'restore', 'nightly.db')).code).toBe(0)
  expect(readdirSync(world.dataDir).filter((name) => name.endsWith('-wal'))).toEqual([
    expect.stringMatching(/replaced-.*-wal$/),
  ])
  expect(await standing(database, account)).toStrictEqual(account)
})

test('spooled answers stay where they are, also in a restore that fails; the next replay erases them', async () => {
  const { world, account, database } = await lost()
  await using _world = world
  const spool = join(world.dataDir, 'spool')
  await writeSpool(spool, [successor(account, 2, KEY)])
  mkdirSync(join(world.dir, 'journal', JOURNAL_FILE), { recursive: true })
  expect((await world.run(KEY, 'restore', 'nightly.db', '--journal', 'journal')).code).toBe(1)
  expect([existsSync(database), inspectSpool(spool).leftOver]).toEqual([false, 1])
  const restored = await world.run(KEY, 'restore', 'nightly.db')
  expect([restored.code, restored.stdout]).toEqual([0, expect.stringMatching(/^Spools: 1 answers brought in\.$/m)])
  expect(inspectSpool(spool).leftOver).toBe(1)
  const { engine } = await world.open(KEY)
  await engine.replaySpools()
  expect(inspectSpool(spool).leftOver).toBe(0)
  expect(await standing(database, account)).toMatchObject({ generation: 2 })
})

test('a database that was opened meanwhile is left alone, and the same command goes on', async () => {
  const { world, account, database } = await lost()
  await using _world = world
  const journal = join(world.dir, 'journal')
  mkdirSync(journal)
  const file = join(journal, JOURNAL_FILE)
  execFileSync('mkfifo', [file])
  const writing = openSync(file, 'r+') // until it is closed, whoever reads the journal waits
  const args = ['restore', 'nightly.db', '--journal', 'journal']
  await using restore = spawnNode(MAIN, { args, cwd: world.dir, env: { ...world.env, TOKEN_ENCRYPTION_KEYS: KEY } })
  await restore.waitForLine(/Reading the journal/)
  {
    await using store = createSqliteStore({ path: database })
    await store.ping()
    rmSync(file)
    writeFileSync(file, '')
    closeSync(writing)
    expect(await restore.exited).toEqual({ code: 1, signal: null })
    expect(restore.lines.at(-1)).toMatch(/^STORE_IN_USE: .*the same command then goes on/)
    expect(await store.accounts.count({})).toBe(0)
  }
  const again = await world.run(KEY, ...args)
  expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/^Going on with the restore/m)])
  expect(await standing(database, account)).toStrictEqual(account)
})

test('a database with a part beside it is no backup yet', async () => {
  const { world, database } = await backedUp()
  await using _world = world
  for (const part of ['', '-wal']) copyFileSync(database + part, join(world.dir, `copied.db${part}`))
  await using other = await createKeysWorld()
  const refused = await other.run(KEY, 'restore', join(world.dir, 'copied.db'))
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/^BACKUP_INVALID: .*copied\.db-wal holds/m)])
})

test('the draft of the copy can be read by nobody else, from its beginning', async () => {
  await using dir = await tempDir()
  const pipe = join(dir.path, 'backup.db')
  execFileSync('mkfifo', ['-m', '644', pipe])
  const stage = openStage(pipe, sqliteTarget(join(dir.path, 'tokenkeeper.db'), systemClock))
  await writeFile(pipe, 'no database') // read once for its digest
  const draft = () => readdirSync(dir.path).find((name) => name.endsWith('.draft'))
  await until(draft, { what: 'the draft', everyMs: 1 })
  expect(statSync(join(dir.path, draft()!)).mode & 0o777).toBe(0o600)
  await Promise.all([writeFile(pipe, 'no database'), expect(stage).rejects.toMatchObject({ code: 'BACKUP_INVALID' })])
})
