import { makeId } from '@tokenkeeper/core'
import {
  AT,
  buildAccount,
  buildAttempt,
  buildHalt,
  buildLogEntry,
  buildLogItem,
  buildPage,
} from '../../src/conformance/build-account.ts'
import { buildRun } from '../../src/conformance/runs.ts'
import { buildSchedule } from '../../src/conformance/schedules.ts'
import type { Store } from '../../src/index.ts'

/** Fills every collection: `count` accounts, twice as many Pages and log entries, some of everything else. Returns the accounts. */
export async function fillStore(store: Store, count: number) {
  const { accounts, pages, halts, log, events, audit, runs, schedules, apiKeys } = store
  const made = Array.from({ length: count }, (_, i) =>
    buildAccount({
      generation: 1 + (i % 3),
      scopes: ['a', '$b'],
      failure: i % 4 ? null : { count: 2, class: 'transient', code: 'PROVIDER_TIMEOUT', since: AT },
      attempt: i % 5 ? null : buildAttempt(),
      lastAttempt: { id: makeId(), outcome: 'failed', generation: 1, at: AT },
      outbox: i % 7 ? [] : [buildLogItem(), buildLogItem()],
      status: i % 6 ? 'active' : 'paused',
    }),
  )
  await Promise.all(made.map((account) => accounts.insert(account)))
  await pages.put(
    made.flatMap(({ id: accountId, generation }, i) => [
      buildPage({ accountId, parentGeneration: generation, tokenExpiresAt: i % 2 ? AT : null }),
      buildPage({
        accountId,
        sealedToken: null,
        keyId: null,
        tasks: [],
        status: 'needs_permission',
        refreshedAt: null,
      }),
    ]),
  )
  for (const halt of [buildHalt(), buildHalt({ state: 'suspected', suspects: [] })]) await halts.insert(halt)
  const entries = made.map(({ id }) => buildLogEntry({ accountId: id, errorMessage: 'Ünïcode “text”' }))
  await log.put(entries.flatMap((entry) => [entry, { ...entry, id: `${entry.id}:page`, pageId: 'page' }]))
  await events.insert(
    made.map(({ id }) => ({ id: makeId(), accountId: id, type: 'account.revived', reason: null, at: AT })),
  )
  await audit.insert([
    { id: makeId(), accountId: made[0]!.id, action: 'account.paused', actor: 'cli', detail: null, at: AT },
    { id: makeId(), accountId: '', action: 'queue.paused', actor: 'cli', detail: 'refresh', at: AT },
  ])
  for (const run of [
    buildRun({ filter: { platforms: ['meta'], dueBefore: AT } }),
    buildRun({ finishedAt: AT, cursor: makeId() }),
  ])
    await runs.insert(run)
  for (const schedule of [
    buildSchedule(),
    buildSchedule({ isOn: false, lastOccurrence: AT, pending: AT, runLimit: 4 }),
  ])
    await schedules.insert(schedule)
  for (const revokedAt of [null, AT])
    await apiKeys.insert({
      id: makeId(),
      name: 'n',
      role: 'viewer',
      hash: 'h',
      createdAt: AT,
      createdBy: 'cli',
      revokedAt,
    })
  return made
}

/** All that the store holds, by kind and in the order of ids. */
export async function contentsOf(store: Store) {
  const all = { afterId: null, limit: 100_000 }
  const byId = <T extends { readonly id: string }>(entities: readonly T[]) =>
    entities.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  return {
    accounts: byId(await store.accounts.list(all)),
    pages: byId(await store.pages.scan(all)),
    halts: byId(await store.halts.list()),
    log: byId(await store.log.scan(all)),
    events: byId(await store.events.scan(all)),
    audit: byId(await store.audit.scan(all)),
    runs: byId(await store.runs.scan(all)),
    schedules: byId(await store.schedules.list()),
    apiKeys: byId(await store.apiKeys.list()),
  }
}
