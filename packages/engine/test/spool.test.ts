import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { makeId, systemClock } from '@tokenkeeper/core'
import { type NodeProcess, spawnNode, tempDir, until } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { createSpool, type Spool } from '../src/index.ts'
import type { RefreshResult } from '../src/result.ts'
import { buildResult } from './support/build-result.ts'

const SPOOL_PROCESS = fileURLToPath(new URL('support/spool-process.ts', import.meta.url))
const UNAVAILABLE = expect.objectContaining({ code: 'SPOOL_UNAVAILABLE' })

/** A directory that does not exist yet, and spools in it; time passes for them only when told. */
async function fixture() {
  const temp = await tempDir()
  const dir = join(temp.path, 'deep', 'spool')
  let elapsed = 0
  const clock = { ...systemClock, monotonic: () => elapsed }
  return {
    dir,
    pass: (ms: number) => {
      elapsed += ms
    },
    spool: () => createSpool({ dir, clock }),
    run: (action: string, count = 1) => spawnNode(SPOOL_PROCESS, { args: [dir, action, `${count}`] }),
    names: () => readdirSync(dir),
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  }
}

const ids = (results: readonly RefreshResult[]) => results.map(({ attempt }) => attempt.id).toSorted()

/** What the spool hands out of its dead siblings; erased, if asked. */
function adopt(spool: Spool, erasing = false): RefreshResult[] {
  const found: RefreshResult[] = []
  for (const { results, erase } of spool.orphans()) {
    found.push(...results)
    if (erasing) for (const { attempt } of results) erase(attempt.id)
  }
  return found
}

async function heldBy(process: NodeProcess): Promise<string[]> {
  const [, held = ''] = await process.waitForLine(/^held (.+)$/)
  return held.split(' ').toSorted()
}

async function killed(process: NodeProcess): Promise<void> {
  process.kill('SIGKILL')
  await process.exited
}

describe('a spool of this process', () => {
  test('keeps what was put until it is erased, and no file when it is empty', async () => {
    await using f = await fixture()
    const spool = f.spool()
    const [a, b] = [buildResult({ note: 'BLUESKY_DEACTIVATED', diesAt: null }), buildResult()]
    await spool.put(a)
    await spool.put(b)
    await spool.put(a) // a retry
    expect(ids(spool.own())).toEqual(ids([a, b]))
    expect(spool.own().find(({ attempt }) => attempt.id === a.attempt.id)).toStrictEqual(a)
    spool.erase(a.attempt.id)
    expect(spool.own()).toStrictEqual([b])
    spool.erase(b.attempt.id)
    spool[Symbol.dispose]()
    expect(f.names()).toEqual([])
  })

  test('leaves what is not erased to its siblings when it is closed', async () => {
    await using f = await fixture()
    using sibling = f.spool()
    const spool = f.spool()
    const result = buildResult()
    await spool.put(result)
    expect(adopt(sibling)).toEqual([])
    spool[Symbol.dispose]()
    expect(adopt(sibling)).toStrictEqual([result])
  })

  test('touches nothing before its first use', async () => {
    await using f = await fixture()
    const spool = f.spool()
    expect(spool.own()).toEqual([])
    expect(adopt(spool)).toEqual([])
    spool.erase(makeId())
    spool[Symbol.dispose]()
    expect(() => f.names()).toThrow('ENOENT')
  })

  test('is readable for its user alone, whatever the umask, which it leaves as it was', async () => {
    await using f = await fixture()
    const before = process.umask(0)
    try {
      using spool = f.spool()
      await spool.put(buildResult())
      expect(statSync(f.dir).mode & 0o777).toBe(0o700)
      expect(f.names().length).toBeGreaterThan(0)
      for (const name of f.names()) expect(statSync(join(f.dir, name)).mode & 0o777, name).toBe(0o600)
      expect(process.umask()).toBe(0)
    } finally {
      process.umask(before)
    }
  })

  test('carries its records over when its file is deleted', async () => {
    await using f = await fixture()
    const spool = f.spool()
    const [before, after] = [buildResult(), buildResult()]
    await spool.put(before)
    for (const name of f.names()) rmSync(join(f.dir, name))
    expect(spool.own()).toStrictEqual([before])
    await spool.put(after)
    expect(ids(spool.own())).toEqual(ids([before, after]))
    spool[Symbol.dispose]()
    using sibling = f.spool()
    expect(ids(adopt(sibling, true))).toEqual(ids([before, after]))
  })
})

describe('a spool that cannot be written', () => {
  /** What truly fails for every user, root included. */
  const OBSTACLES: readonly (readonly [string, (dir: string) => void, (dir: string) => void])[] = [
    ['a file where the directory belongs', (dir) => writeFileSync(dir, ''), (dir) => rmSync(dir)],
    [
      'a file above the directory',
      (dir) => {
        rmSync(join(dir, '..'), { recursive: true, force: true })
        writeFileSync(join(dir, '..'), '')
      },
      (dir) => rmSync(join(dir, '..')),
    ],
  ]

  test.each(OBSTACLES)('says so, and recovers: %s', async (_what, block, unblock) => {
    await using f = await fixture()
    using spool = f.spool()
    mkdirSync(join(f.dir, '..'), { recursive: true })
    block(f.dir)
    expect(() => spool.check()).toThrow(UNAVAILABLE)
    expect(() => spool.check()).toThrow(UNAVAILABLE) // no failure is remembered as a success
    await expect(spool.put(buildResult())).rejects.toEqual(UNAVAILABLE)
    expect(adopt(spool)).toEqual([])
    unblock(f.dir)
    spool.check()
    const result = buildResult()
    await spool.put(result)
    expect(spool.own()).toStrictEqual([result])
  })

  test('says so when its directory is taken away under it, and loses no record', async () => {
    await using f = await fixture()
    using spool = f.spool()
    const [before, after] = [buildResult(), buildResult()]
    await spool.put(before)
    spool.check()
    rmSync(f.dir, { recursive: true })
    writeFileSync(f.dir, '')
    f.pass(1_001)
    expect(() => spool.check()).toThrow(UNAVAILABLE)
    await expect(spool.put(after)).rejects.toEqual(UNAVAILABLE)
    spool.erase(after.attempt.id)
    expect(spool.own()).toStrictEqual([before])
    rmSync(f.dir)
    spool.check()
    await spool.put(after)
    expect(ids(spool.own())).toEqual(ids([before, after]))
  })

  test('probes again once its last good probe is a second old', async () => {
    await using f = await fixture()
    using spool = f.spool()
    spool.check()
    rmSync(f.dir, { recursive: true })
    writeFileSync(f.dir, '')
    f.pass(999)
    spool.check()
    f.pass(1)
    expect(() => spool.check()).toThrow(UNAVAILABLE)
  })

  test('on a full disk keeps what it has, says so, and takes more once there is room', async () => {
    await using f = await fixture()
    // A limit on the size of files: writes beyond it fail, as on a full disk.
    const limited = ['-c', 'ulimit -f 64; exec "$0" "$@"', process.execPath]
    const child = spawn('/bin/sh', [...limited, SPOOL_PROCESS, f.dir, 'fill', '1000'])
    const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    expect(errors).toBe('')
    const { kept, ...rest } = JSON.parse(out)
    expect(rest).toEqual({ refusedAsUnavailable: true, afterwards: 1 })
    expect(kept).toBeGreaterThan(3)
    expect(f.names()).toEqual([])
  })
})

describe('the spool of a sibling', () => {
  test('is left alone while its process lives, also while it is stopped, and adopted after its death', async () => {
    await using f = await fixture()
    using spool = f.spool()
    await using sibling = f.run('hold', 3)
    const held = await heldBy(sibling)
    const before = f.names()

    expect(adopt(spool, true)).toEqual([])
    process.kill(sibling.pid, 'SIGSTOP')
    await until(() => isStopped(sibling.pid), { what: 'the sibling to stop' })
    expect(adopt(spool, true)).toEqual([])
    expect(f.names()).toEqual(before)

    await killed(sibling)
    expect(ids(adopt(spool))).toEqual(held) // looked at, not erased: it stays
    expect(ids(adopt(spool, true))).toEqual(held)
    expect(f.names()).toEqual([])
    expect(adopt(spool)).toEqual([])
  })

  test('is kept as far as it was not erased', async () => {
    await using f = await fixture()
    using spool = f.spool()
    await using sibling = f.run('hold', 3)
    const [first = '', ...others] = await heldBy(sibling)
    await killed(sibling)
    for (const { erase } of spool.orphans()) erase(first)
    expect(ids(adopt(spool, true))).toEqual(others)
  })

  test('is hidden from others while one looks at it', async () => {
    await using f = await fixture()
    using one = f.spool()
    using other = f.spool()
    await using sibling = f.run('hold', 2)
    const held = await heldBy(sibling)
    await killed(sibling)
    for (const { results } of one.orphans()) {
      expect(ids(results)).toEqual(held)
      expect(adopt(other, true)).toEqual([])
    }
    expect(ids(adopt(other, true))).toEqual(held)
  })

  test('that vanishes while one looks at it stops nobody', async () => {
    await using f = await fixture()
    using spool = f.spool()
    await using siblings = new AsyncDisposableStack()
    for (const sibling of [siblings.use(f.run('hold')), siblings.use(f.run('hold'))]) {
      await heldBy(sibling)
      await killed(sibling)
    }
    let seen = 0
    for (const { results, erase } of spool.orphans()) {
      seen += results.length
      for (const { attempt } of results) erase(attempt.id)
      for (const name of f.names()) if (seen === 1) rmSync(join(f.dir, name))
    }
    expect(seen).toBe(1)
    expect(adopt(spool)).toEqual([])
    expect(f.names()).toEqual([])
  })

  test('gives each record to one adopter alone, however many race for it', async () => {
    await using f = await fixture()
    const left: string[] = []
    for (let files = 0; files < 40; files++) {
      const dead = f.spool()
      for (let count = 0; count < 3; count++) {
        const result = buildResult()
        await dead.put(result)
        left.push(result.attempt.id)
      }
      dead[Symbol.dispose]()
    }
    await using one = f.run('adopt')
    await using other = f.run('adopt')
    const exits = await Promise.all([one.exited, other.exited])
    const adopted = [one, other].map(({ stdoutLines }) =>
      stdoutLines.flatMap((line) => line.match(/^adopted (.+)$/)?.[1] ?? []),
    )
    expect(exits, [...one.lines, ...other.lines].join('\n')).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ])
    expect(adopted.flat().toSorted()).toEqual(left.toSorted())
    expect(f.names()).toEqual([])
  })

  test('is made anew when an adopter takes its empty beginning for an orphan', async () => {
    await using f = await fixture()
    mkdirSync(f.dir, { recursive: true })
    writeFileSync(join(f.dir, 'stop'), '') // keeps the adopter at it
    await using adopter = f.run('adopt')
    await adopter.waitForLine(/^adopting$/)
    for (let round = 0; round < 200; round++) {
      const spool = f.spool()
      const result = buildResult()
      await spool.put(result)
      expect(spool.own()).toStrictEqual([result])
      spool.erase(result.attempt.id)
      spool[Symbol.dispose]()
    }
    rmSync(join(f.dir, 'stop'))
    expect(await adopter.exited, adopter.lines.join('\n')).toEqual({ code: 0, signal: null })
    expect(adopter.stdoutLines).toEqual(['adopting'])
  })
})

describe('what lies in the directory besides', () => {
  const nameOfDead = () => `1-${makeId()}.db`

  /** A dead sibling's file with records as they stand in it. */
  function leave(dir: string, records: readonly unknown[]): string {
    mkdirSync(dir, { recursive: true })
    const path = join(dir, nameOfDead())
    using db = new DatabaseSync(path)
    db.exec('CREATE TABLE results (attempt_id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT')
    for (const [index, record] of records.entries()) {
      const written = typeof record === 'string' ? record : JSON.stringify(record)
      db.prepare('INSERT INTO results VALUES (?, ?)').run(`attempt-${index}`, written)
    }
    return path
  }

  test('of garbage blocks nothing, is named and stays', async () => {
    await using f = await fixture()
    using spool = f.spool()
    const good = buildResult()
    leave(f.dir, [good])
    const garbage = nameOfDead()
    writeFileSync(join(f.dir, garbage), 'no database at all. '.repeat(1_000))
    const directory = nameOfDead()
    mkdirSync(join(f.dir, directory))
    const found = [...spool.orphans()].map(({ results, unreadable }) => ({ results, unreadable }))
    expect(found).toHaveLength(3)
    expect(found.flatMap(({ results }) => results)).toStrictEqual([good])
    expect(found.flatMap(({ unreadable }) => unreadable).toSorted()).toEqual([garbage, directory].toSorted())
    expect(f.names()).toEqual(expect.arrayContaining([garbage, directory]))
  })

  test('damaged in the middle is named and stays', async () => {
    await using f = await fixture()
    using spool = f.spool()
    const path = leave(
      f.dir,
      Array.from({ length: 100 }, () => buildResult()),
    )
    const bytes = readFileSync(path)
    bytes.fill(0x5a, 4_096 * 2, bytes.length - 4_096)
    writeFileSync(path, bytes)
    const [orphan] = [...spool.orphans()]
    expect(orphan?.unreadable).toEqual([f.names()[0]])
    expect(f.names()).toHaveLength(1)
  })

  test.each<readonly [string, unknown]>([
    ['of a version to come', { ...buildResult(), version: 2 }],
    ['of no version', { ...buildResult(), version: undefined }],
    ['without its generation', { ...buildResult(), generation: undefined }],
    ['without its attempt', { ...buildResult(), attempt: null }],
    ['with an attempt that lacks its id', { ...buildResult(), attempt: { ...buildResult().attempt, id: '' } }],
    ['without its sealed answer', { ...buildResult(), sealed: 7 }],
    ['with a time that is none', { ...buildResult(), diesAt: 'soon' }],
    ['that is no JSON', '{"version":1,'],
    ['that is null', 'null'],
  ])('a record %s is named and stays, and its neighbours are handed out', async (_what, record) => {
    await using f = await fixture()
    using spool = f.spool()
    const [before, after] = [buildResult(), buildResult()]
    leave(f.dir, [before, record, after])
    for (const { results, unreadable, erase } of spool.orphans()) {
      expect(results).toStrictEqual([before, after])
      expect(unreadable).toEqual(['attempt-1'])
      for (const id of ['attempt-0', 'attempt-2']) erase(id)
    }
    const again = [...spool.orphans()].map(({ results, unreadable }) => ({ results, unreadable }))
    expect(again).toEqual([{ results: [], unreadable: ['attempt-1'] }])
  })

  test('and is no spool is neither opened nor deleted', async () => {
    await using f = await fixture()
    using spool = f.spool()
    mkdirSync(f.dir, { recursive: true })
    const path = join(f.dir, 'tokenkeeper.db')
    {
      using db = new DatabaseSync(path)
      db.exec('PRAGMA journal_mode = WAL; CREATE TABLE accounts (id TEXT)')
    }
    const before = readFileSync(path)
    expect([...spool.orphans()]).toEqual([])
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

async function isStopped(pid: number): Promise<boolean> {
  const child = spawn('ps', ['-o', 'state=', '-p', `${pid}`])
  return (await text(child.stdout)).trim().startsWith('T')
}
