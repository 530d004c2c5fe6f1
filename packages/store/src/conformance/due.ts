import { type Account, FOREVER } from '@tokenkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DueAccount, DueQuery, Store } from '../store.ts'
import { AT, buildAccount } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

type Query = Pick<DueQuery, 'platform' | 'statusIn' | 'before'>

export function dueTests(open: OpenFixture): void {
  test('those due by a time, of a platform and of some statuses, by (nextRefreshAt, id)', async () => {
    await using fixture = await open()
    const oneOf = <const T>(...values: T[]) => fc.constantFrom(...values)
    const account = fc.record({
      platform: oneOf('bluesky', 'meta'),
      status: oneOf('active', 'needs_action', 'paused', 'quarantined'),
      nextRefreshAt: oneOf(AT, AT + 1, AT + 2), // many ties
    })
    const statusIn = fc.uniqueArray(oneOf('active', 'needs_action', 'quarantined', 'removing'))
    const everyone: Account[] = []
    await fc.assert(
      fc.asyncProperty(
        fc.array(account, { maxLength: 12 }),
        statusIn,
        fc.integer({ min: 1, max: 5 }),
        async (some, statusIn, limit) => {
          everyone.push(...(await insertAll(fixture.store, some)))
          for (const platform of ['bluesky', 'meta', 'threads'] as const) {
            const query = { platform, statusIn, before: AT + 1 }
            expect(await allDue(fixture.store, query, limit)).toEqual(expected(everyone, query))
          }
        },
      ),
      { numRuns: 15 },
    )
  })

  test('gives what a job needs', async () => {
    await using fixture = await open()
    const account = buildAccount({ serviceUrl: null, diesAt: null })
    await fixture.store.accounts.insert(account)
    const query = { platform: 'bluesky', statusIn: ['active'], before: AT, after: null, limit: 1 } as const
    const { id, platform, serviceUrl, nextRefreshAt, diesAt } = account
    expect(await fixture.store.accounts.due(query)).toStrictEqual([{ id, platform, serviceUrl, nextRefreshAt, diesAt }])
  })

  test('by the end of time: everyone', async () => {
    await using fixture = await open()
    const account = buildAccount({ status: 'removing' })
    await fixture.store.accounts.insert(account)
    const query = { platform: 'bluesky', statusIn: ['removing'], before: FOREVER, after: null, limit: 1 } as const
    expect(await fixture.store.accounts.due(query)).toHaveLength(1)
  })

  test('rows that move away while one pages make nobody skipped or doubled', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const all = await insertAll(
      fixture.store,
      Array.from({ length: 30 }, (_, i) => ({ nextRefreshAt: AT + Math.floor(i / 4) })),
    )
    const seen: string[] = []
    for (let after: DueQuery['after'] = null; ; ) {
      const page: DueAccount[] = await accounts.due({
        platform: 'bluesky',
        statusIn: ['active', 'needs_action'],
        before: AT + 100,
        after,
        limit: 4,
      })
      seen.push(...page.map(({ id }) => id))
      // Half of them are refreshed meanwhile, one is found in need of action.
      for (const { id } of page.slice(0, 2)) await accounts.write(change(id, { set: { nextRefreshAt: AT + 1_000 } }))
      for (const { id } of page.slice(2, 3)) await accounts.write(change(id, { status: { active: 'needs_action' } }))
      const last = page.at(-1)
      if (!last) break
      after = last
    }
    expect(seen.toSorted()).toEqual(all.map(({ id }) => id).toSorted())
  })
}

function change(accountId: string, change: Parameters<Store['accounts']['write']>[0]['change']) {
  return { name: 'move', accountId, when: {}, change }
}

async function insertAll(store: Store, some: readonly Partial<Account>[]): Promise<Account[]> {
  const accounts = some.map((overrides) => buildAccount(overrides))
  await Promise.all(accounts.map((account) => store.accounts.insert(account)))
  return accounts
}

async function allDue(store: Store, query: Query, limit: number): Promise<string[]> {
  const found: DueAccount[] = []
  for (;;) {
    const page = await store.accounts.due({ ...query, after: found.at(-1) ?? null, limit })
    found.push(...page)
    if (page.length < limit) return found.map(({ id }) => id)
  }
}

function expected(accounts: readonly Account[], { platform, statusIn, before }: Query): string[] {
  return accounts
    .filter((account) => account.platform === platform && statusIn.includes(account.status))
    .filter((account) => account.nextRefreshAt <= before)
    .toSorted((a, b) => a.nextRefreshAt - b.nextRefreshAt || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id)
}
