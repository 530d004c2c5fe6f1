import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DAY, makeId, systemClock } from '@tokenkeeper/core'
import { createLoggers } from '@tokenkeeper/telemetry'
import { createSecretSearch, tempDir, until } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { createJournal, inspectJournal } from '../src/index.ts'
import { remove } from '../src/writes/account-writes.ts'
import { buildResult } from './support/build-result.ts'
import { createExtendWorld } from './support/extend-world.ts'
import { readRecords } from './support/read-records.ts'

async function stage(keepDays = 30) {
  const temp = await tempDir()
  const dir = join(temp.path, 'journal')
  const lines: string[] = []
  let ahead = 0
  const clock = { ...systemClock, now: () => Date.UTC(2026, 1, 1, 23, 59) + ahead }
  const logger = createLoggers({ level: 'info', format: 'json', destination: { write: (line) => lines.push(line) } })(
    'j',
  )
  return {
    dir,
    lines,
    open: () => createJournal({ dir, clock, logger, keepMs: keepDays * DAY }),
    pass: (ms: number) => {
      ahead += ms
    },
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  }
}

const refreshed = (generation = 1) => ({ kind: 'refreshed', result: buildResult({ generation }) }) as const
const generations = async (dir: string) =>
  (await readRecords(dir)).map((record) => (record?.kind === 'refreshed' ? record.result.generation : null))

describe('what the engine writes', () => {
  test('a removal whose process died before it was noted here, once somebody finishes it', async () => {
    await using world = await createExtendWorld()
    const account = await world.connect()
    const { id: accountId } = account
    const at = world.clock.now()
    const audit = { id: makeId(), accountId, action: 'account.removed', actor: 'test', detail: null, at } as const
    expect(await world.store.accounts.write(remove(await world.read(accountId), audit))).toBe(true)
    await world.engine.removeAccount(accountId, 'recovery')
    await world.engine[Symbol.asyncDispose]()
    const records = await readRecords(world.journalDir)
    expect(records.at(-1)).toEqual({ v: 1, kind: 'removed', audit })
  })

  test('a login, its successors and its removal, sealed, for this user alone', async () => {
    const world = await createExtendWorld()
    await using _world = world
    const account = await world.connect()
    await world.refresh(account.id)
    await world.refresh(account.id)
    const { generation, sealedCredential } = await world.read(account.id)
    await world.engine.removeAccount(account.id, 'test')
    await world.engine[Symbol.asyncDispose]()

    const records = await readRecords(world.journalDir)
    expect(records.map((record) => record?.kind)).toEqual(['connected', 'refreshed', 'refreshed', 'removed'])
    expect(records[0]).toMatchObject({ account: { id: account.id, generation: 1, outbox: [] } })
    expect(records[2]).toMatchObject({ result: { generation: generation - 1, sealed: sealedCredential } })
    expect(records[3]).toMatchObject({ audit: { accountId: account.id, action: 'account.removed', actor: 'test' } })
    expect(statSync(world.journalDir).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(world.journalDir)) {
      expect(statSync(join(world.journalDir, name)).mode & 0o777).toBe(0o600)
    }
    const search = createSecretSearch([world.token(account)])
    expect(await search.searchDir(world.journalDir)).toEqual([])
  })
})

describe('the file', () => {
  test('what a SIGKILL cut off is left out; what is damaged elsewhere is told', async () => {
    await using s = await stage()
    const journal = s.open()
    for (const generation of [1, 2]) journal.append(refreshed(generation))
    await journal[Symbol.asyncDispose]()
    const path = join(s.dir, readdirSync(s.dir)[0]!)
    const [first = '', second = ''] = readFileSync(path, 'utf8').split('\n')
    writeFileSync(path, `${first}\n${second.slice(0, -1)}`)
    expect(await generations(s.dir)).toEqual([1])
    appendFileSync(path, `\n${second}\n{"v":2}\n${second}`) // a newer version; a last line that is whole
    expect(await generations(s.dir)).toEqual([1, null, 2, null, 2])
  })

  test('each UTC day has its own, and those that are over for long go, with nothing else', async () => {
    await using s = await stage(30)
    const journal = s.open()
    const write = async (generation: number) => {
      journal.append(refreshed(generation))
      await journal[Symbol.asyncDispose]()
    }
    await write(1)
    s.pass(120_000)
    await write(2)
    expect(readdirSync(s.dir).map((name) => name.slice(0, 10))).toEqual(['2026-02-01', '2026-02-02'])
    const foreign = ['2020-01-01.ndjson', 'notes.txt']
    for (const name of foreign) writeFileSync(join(s.dir, name), '')
    expect(await inspectJournal(s.dir)).toMatchObject({ files: 2, since: '2026-02-01', writable: true })
    s.pass(29 * DAY)
    expect(await journal.prune()).toBe(0)
    s.pass(DAY)
    expect(await journal.prune()).toBe(1)
    expect(await generations(s.dir)).toEqual([2])
    s.pass(DAY)
    expect(await journal.prune()).toBe(1)
    expect(readdirSync(s.dir)).toEqual(foreign.toSorted())
  })

  test('many records at once share few writes, in their order', async () => {
    await using s = await stage()
    const journal = s.open()
    const count = 3_000
    for (let generation = 0; generation < count; generation++) journal.append(refreshed(generation))
    await until(async () => (await generations(s.dir)).length === count, { what: 'all to be written by itself' })
    expect(await generations(s.dir)).toEqual(Array.from({ length: count }, (_, i) => i))
    await journal[Symbol.asyncDispose]()
  })
})

describe('a journal that cannot be written', () => {
  test('is told once, and takes what it missed when it can be written again', async () => {
    await using s = await stage()
    const journal = s.open()
    writeFileSync(s.dir, 'a file where the directory should be')
    journal.append(refreshed(1))
    await journal[Symbol.asyncDispose]()
    journal.append(refreshed(2))
    await journal[Symbol.asyncDispose]()
    expect(s.lines.filter((line) => line.includes('the journal cannot be written'))).toHaveLength(1)
    rmSync(s.dir)
    journal.append(refreshed(3))
    await journal[Symbol.asyncDispose]()
    expect(await generations(s.dir)).toEqual([1, 2, 3])
  })

  test('holds up no refresh and fails none', async () => {
    const world = await createExtendWorld()
    await using _world = world
    const account = await world.connect()
    await until(() => readdirSync(world.journalDir).length > 0, { what: 'the journal' })
    rmSync(world.journalDir, { recursive: true })
    writeFileSync(world.journalDir, '')
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
    rmSync(world.journalDir)
    mkdirSync(world.journalDir)
  })

  test('without a directory there is nothing to look at', async () => {
    await using s = await stage()
    expect(await inspectJournal(s.dir)).toEqual({ files: 0, bytes: 0, since: null, writable: true })
    expect(await s.open().prune()).toBe(0)
    writeFileSync(s.dir, '')
    expect(await inspectJournal(s.dir)).toMatchObject({ files: 0, writable: false })
    await expect(s.open().prune()).rejects.toMatchObject({ code: 'JOURNAL_UNREADABLE' })
  })
})
