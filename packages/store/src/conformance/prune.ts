import { type AccountEvent, type AuditEntry, makeId } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import type { Prunable, Run, Scannable, Store } from '../store.ts'
import { AT, buildLogEntry } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'
import { buildRun } from './runs.ts'

export function pruneTests(open: OpenFixture): void {
  prunes(
    'log',
    (refreshedAt) => buildLogEntry({ refreshedAt }),
    ({ log }, all) => log.put(all),
    ({ log }) => log,
  )
  prunes<AccountEvent>(
    'events',
    (at) => ({ id: makeId(), accountId: makeId(), type: 'account.revived', reason: null, at }),
    ({ events }, all) => events.insert(all),
    ({ events }) => events,
  )
  prunes<AuditEntry>(
    'audit',
    (at) => ({ id: makeId(), accountId: '', action: 'queue.paused', actor: 'cli', detail: null, at }),
    ({ audit }, all) => audit.insert(all),
    ({ audit }) => audit,
  )
  prunes<Run>(
    'runs',
    (finishedAt) => buildRun({ createdAt: AT - 100, finishedAt }),
    insertRuns,
    ({ runs }) => runs,
  )

  test('a run that is not finished stays, however old it is', async () => {
    await using fixture = await open()
    const { runs } = fixture.store
    const [finished, unfinished] = [buildRun({ finishedAt: 2 }), buildRun({ createdAt: 1, startedAt: 1 })]
    await insertRuns(fixture.store, [finished, unfinished])
    expect(await runs.prune({ before: AT, limit: 9 })).toBe(1)
    expect(await runs.scan({ afterId: null, limit: 9 })).toStrictEqual([unfinished])
  })

  test('what is pruned through two handles at once is counted once', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const entries = Array.from({ length: 40 }, (_, i) => buildLogEntry({ refreshedAt: AT + i }))
    await fixture.store.log.put(entries)
    const rounds = Array.from({ length: 8 }, (_, i) =>
      (i % 2 ? second : fixture.store).log.prune({ before: AT + 30, limit: 10 }),
    )
    const pruned = (await Promise.all(rounds)).reduce((sum, count) => sum + count)
    const left = await second.log.scan({ afterId: null, limit: 99 })
    expect(pruned + left.length).toBe(entries.length)
    expect(left.map(({ refreshedAt }) => refreshedAt)).toEqual(
      expect.arrayContaining(entries.slice(30).map(({ refreshedAt }) => refreshedAt)),
    )
  })

  function prunes<T extends { readonly id: string }>(
    name: string,
    build: (at: number) => T,
    fill: (store: Store, all: readonly T[]) => Promise<void>,
    of: (store: Store) => Scannable<T> & Prunable,
  ): void {
    test(`${name}: the oldest go first, as many as asked for, and none of the given time or later`, async () => {
      await using fixture = await open()
      const store = of(fixture.store)
      const [third, first, kept, second, alsoKept] = [3, 1, 4, 2, 9].map((at) => build(AT + at))
      const held = async () => byId(await store.scan({ afterId: null, limit: 99 }))
      await fill(fixture.store, [third!, first!, kept!, second!, alsoKept!])
      expect(await store.prune({ before: AT + 1, limit: 9 })).toBe(0)
      expect(await store.prune({ before: AT + 4, limit: 2 })).toBe(2)
      expect(await held()).toStrictEqual(byId([third!, kept!, alsoKept!]))
      expect(await store.prune({ before: AT + 4, limit: 2 })).toBe(1)
      expect(await store.prune({ before: AT + 4, limit: 2 })).toBe(0)
      expect(await held()).toStrictEqual(byId([kept!, alsoKept!]))
    })
  }
}

async function insertRuns({ runs }: Store, all: readonly Run[]): Promise<void> {
  for (const run of all) await runs.insert(run)
}

function byId<T extends { readonly id: string }>(entities: readonly T[]): T[] {
  return entities.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}
