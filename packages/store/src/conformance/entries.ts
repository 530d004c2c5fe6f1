import { type AccountEvent, type AuditEntry, makeId } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import type { EntryStore, Store } from '../store.ts'
import { AT } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

type Entry = AccountEvent | AuditEntry

export function entryTests(open: OpenFixture): void {
  const event = (at: number): AccountEvent => ({
    id: makeId(),
    accountId: makeId(),
    type: 'account.needs_reconnect',
    reason: at % 2 ? 'BLUESKY_SESSION_EXPIRED' : null,
    at,
  })
  const audit = (at: number): AuditEntry => ({
    id: makeId(),
    accountId: makeId(),
    action: 'account.removed',
    actor: 'cli',
    detail: at % 2 ? 'did:plc:x' : null,
    at,
  })
  entriesBehave('events', event, (store) => store.events)
  entriesBehave('audit', audit, (store) => store.audit)

  test('audit: an entry that is about no account', async () => {
    await using fixture = await open()
    const entry: AuditEntry = { ...audit(AT), accountId: '', action: 'queue.paused', detail: 'refresh' }
    await fixture.store.audit.insert([entry])
    expect(await fixture.store.audit.list({ limit: 9 })).toStrictEqual([entry])
  })

  function entriesBehave<T extends Entry>(name: string, build: (at: number) => T, of: (store: Store) => EntryStore<T>) {
    test(`${name}: newest first, by account, each once`, async () => {
      await using fixture = await open()
      const second = of(await fixture.openSecond())
      const entries = of(fixture.store)
      const all = [2, 0, 3, 1].map((i) => build(AT + i))
      await Promise.all([entries.insert(all), second.insert(all), entries.insert(all.slice(1, 2))])
      await entries.insert([])
      // One that is there is left as it is.
      await entries.insert([{ ...all[0]!, at: AT + 9 }])
      const newestFirst = all.toSorted((a, b) => b.at - a.at)
      expect(await entries.list({ limit: 9 })).toStrictEqual(newestFirst)
      expect(await entries.list({ limit: 2 })).toStrictEqual(newestFirst.slice(0, 2))
      expect(await entries.list({ accountId: all[1]!.accountId, limit: 9 })).toStrictEqual([all[1]])
    })
  }
}
