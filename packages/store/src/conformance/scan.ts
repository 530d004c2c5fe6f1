import { type AccountEvent, type AuditEntry, makeId } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import type { Scannable, Store } from '../store.ts'
import { AT, buildLogEntry, buildPage } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'
import { buildRun } from './runs.ts'

const LIMIT = 2

export function scanTests(open: OpenFixture): void {
  const accountId = makeId()
  const events = makeSome<AccountEvent>(() => ({
    id: makeId(),
    accountId,
    type: 'account.revived',
    reason: null,
    at: AT,
  }))
  const audit = makeSome<AuditEntry>(() => ({
    id: makeId(),
    accountId,
    action: 'account.paused',
    actor: 'cli',
    detail: null,
    at: AT,
  }))
  // Those of a page's attempts have ids of another form.
  const log = makeSome(() => buildLogEntry()).flatMap((entry) => [entry, { ...entry, id: `${entry.id}:page` }])
  const runs = makeSome(() => buildRun())

  scans(
    'events',
    events,
    ({ events: store }, all) => store.insert(all),
    (store) => store.events,
  )
  scans(
    'audit',
    audit,
    ({ audit: store }, all) => store.insert(all),
    (store) => store.audit,
  )
  scans(
    'log',
    log,
    ({ log: store }, all) => store.put(all),
    (store) => store.log,
  )
  scans(
    'runs',
    runs,
    async ({ runs: store }, all) => {
      for (const run of all) await store.insert(run)
    },
    (store) => store.runs,
  )

  scans(
    'Pages',
    makeSome(() => buildPage()),
    async ({ pages }, all) => void (await pages.put(all)),
    ({ pages }) => pages,
  )

  function scans<T extends { readonly id: string }>(
    name: string,
    all: readonly T[],
    fill: (store: Store, all: readonly T[]) => Promise<void>,
    of: (store: Store) => Scannable<T>,
  ): void {
    test(`${name}: a scan by id finds all, each once`, async () => {
      await using fixture = await open()
      const store = of(fixture.store)
      expect(await store.scan({ afterId: null, limit: LIMIT })).toEqual([])
      await fill(fixture.store, all)
      const read: T[] = []
      while (true) {
        const some = await store.scan({ afterId: read.at(-1)?.id ?? null, limit: LIMIT })
        expect(some.length).toBeLessThanOrEqual(LIMIT)
        if (some.length === 0) break
        read.push(...some)
      }
      expect(byId(read)).toStrictEqual(byId(all))
    })

    test(`${name}: several by their ids`, async () => {
      await using fixture = await open()
      await fill(fixture.store, all)
      const wanted = all.slice(0, 3)
      const found = await of(fixture.store).getMany([...wanted.map(({ id }) => id), makeId()])
      expect(byId(found)).toStrictEqual(byId(wanted))
      expect(await of(fixture.store).getMany([])).toEqual([])
    })
  }
}

function makeSome<T>(make: () => T): T[] {
  return Array.from({ length: 5 }, make)
}

function byId<T extends { readonly id: string }>(entities: readonly T[]): T[] {
  return entities.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}
