import type { AttemptOutcome } from '@tokenkeeper/core'
import type { ApiKeyStore, EntryStore, LogStore, RunStore, Scannable } from '@tokenkeeper/store'
import type { Data } from './data.ts'
import type { Transport } from './memory-store.ts'
import { createPrune } from './prune.ts'
import { statsOf } from './stats.ts'

/** Where a kind of entities is kept. */
export type From<T> = (data: Data) => Map<string, T>

export function createScan<T extends { readonly id: string }>({ read }: Transport, from: From<T>): Scannable<T> {
  return {
    scan: ({ afterId, limit }) => read('scan', (data) => idsAfter([...from(data).values()], afterId, limit)),
    getMany: (ids) => read('getMany', (data) => ids.flatMap((id) => from(data).get(id) ?? [])),
  }
}

/** Entries that are written once and never change: events and audit. */
export function createEntryStore<T extends { readonly id: string; readonly accountId: string; readonly at: number }>(
  transport: Transport,
  from: From<T>,
): EntryStore<T> {
  return {
    ...createScan(transport, from),
    ...createPrune(transport, from, ({ at }) => at),
    insert: (entries) =>
      transport.write({ name: 'entries.insert' }, (data) => {
        for (const entry of entries) if (!from(data).has(entry.id)) from(data).set(entry.id, entry)
      }),
    list: ({ accountId, limit }) =>
      transport.read('entries.list', (data) =>
        [...from(data).values()]
          .filter((entry) => accountId === undefined || entry.accountId === accountId)
          .toSorted((a, b) => b.at - a.at || byId(b, a))
          .slice(0, limit),
      ),
  }
}

/** How much an outcome says of its attempt: `refreshed` over the attempt's own verdict over what others said of it. */
function rank(outcome: AttemptOutcome): number {
  if (outcome === 'refreshed') return 2
  return outcome === 'interrupted' || outcome === 'superseded' || outcome === 'removed' ? 0 : 1
}

export function createLogStore(transport: Transport): LogStore {
  const { read, write } = transport
  return {
    ...createScan(transport, ({ log }) => log),
    ...createPrune(
      transport,
      ({ log }) => log,
      ({ refreshedAt }) => refreshedAt,
    ),
    put: (entries) =>
      write({ name: 'log.put' }, ({ log }) => {
        for (const entry of entries) {
          const standing = log.get(entry.id)
          if (!standing || rank(entry.outcome) > rank(standing.outcome)) log.set(entry.id, entry)
        }
      }),
    get: (id) => read('log.get', ({ log }) => log.get(id) ?? null),
    list: ({ accountId, pageId, success, limit }) =>
      read('log.list', ({ log }) =>
        [...log.values()]
          .filter((entry) => accountId === undefined || entry.accountId === accountId)
          .filter((entry) => pageId === undefined || entry.pageId === pageId)
          .filter((entry) => success === undefined || entry.success === success)
          .toSorted((a, b) => b.refreshedAt - a.refreshedAt || byId(b, a))
          .slice(0, limit),
      ),
    stats: (query) => read('log.stats', ({ log }) => statsOf([...log.values()], query)),
    removeAccount: (accountId) =>
      write({ name: 'log.remove' }, ({ log }) => {
        for (const entry of [...log.values()]) if (entry.accountId === accountId) log.delete(entry.id)
      }),
  }
}

export function createRunStore(transport: Transport): RunStore {
  const { read, write } = transport
  return {
    ...createScan(transport, ({ runs }) => runs),
    ...createPrune(
      transport,
      ({ runs }) => runs,
      ({ finishedAt }) => finishedAt,
    ),
    insert: (run) =>
      write({ name: 'runs.insert' }, ({ runs }) => {
        const { scheduleId, occurrence } = run
        const standing = [...runs.values()].find((r) => r.scheduleId === scheduleId && r.occurrence === occurrence)
        if (!standing) runs.set(run.id, run)
        return standing ?? run
      }),
    get: (id) => read('runs.get', ({ runs }) => runs.get(id) ?? null),
    latest: (scheduleId) =>
      read('runs.latest', ({ runs }) => {
        const ofSchedule = [...runs.values()].filter((run) => run.scheduleId === scheduleId)
        return ofSchedule.toSorted((a, b) => b.createdAt - a.createdAt || byId(b, a))[0] ?? null
      }),
    unfinished: (limit) =>
      read('runs.unfinished', ({ runs }) =>
        [...runs.values()]
          .filter(({ finishedAt }) => finishedAt === null)
          .toSorted((a, b) => a.createdAt - b.createdAt || byId(a, b))
          .slice(0, limit),
      ),
    beginWindow: (id, from, window) =>
      write({ name: 'runs.beginWindow' }, ({ runs }) => {
        const run = runs.get(id)
        if (run?.cursor !== from || run.window !== null || run.finishedAt !== null) return false
        runs.set(id, { ...run, window })
        return true
      }),
    advance: (id, from, to) =>
      write({ name: 'runs.advance' }, ({ runs }) => {
        const run = runs.get(id)
        if (run?.cursor !== from) return false
        const { cursor, totals, finishedAt } = to
        runs.set(id, { ...run, cursor, totals, finishedAt, window: null })
        return true
      }),
  }
}

export function createApiKeyStore({ read, write }: Transport): ApiKeyStore {
  return {
    insert: (key) =>
      write({ name: 'apiKeys.insert' }, ({ apiKeys }) => {
        apiKeys.set(key.id, key)
      }),
    get: (id) => read('apiKeys.get', ({ apiKeys }) => apiKeys.get(id) ?? null),
    list: () =>
      read('apiKeys.list', ({ apiKeys }) =>
        [...apiKeys.values()].toSorted((a, b) => a.createdAt - b.createdAt || byId(a, b)),
      ),
    revoke: (id, at) =>
      write({ name: 'apiKeys.revoke' }, ({ apiKeys }) => {
        const key = apiKeys.get(id)
        if (!key || key.revokedAt !== null) return false
        apiKeys.set(id, { ...key, revokedAt: at })
        return true
      }),
  }
}

export function idsAfter<T extends { readonly id: string }>(
  all: readonly T[],
  afterId: string | null,
  limit: number,
): T[] {
  const after = afterId === null ? all : all.filter(({ id }) => id > afterId)
  return after.toSorted(byId).slice(0, limit)
}

export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
