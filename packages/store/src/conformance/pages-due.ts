import type { Account, Platform } from '@tokenkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PagesDueAccount, PagesDueQuery, Store } from '../store.ts'
import { AT, buildAccount } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

export function pagesDueTests(open: OpenFixture): void {
  test('active accounts whose Pages are due by a time, by (pagesDueAt, id)', async () => {
    await using fixture = await open()
    const oneOf = <const T>(...values: T[]) => fc.constantFrom(...values)
    const account = fc.record({
      platform: oneOf('meta', 'instagram', 'bluesky'),
      status: oneOf('active', 'active', 'needs_action', 'paused', 'removing'),
      pagesDueAt: oneOf(null, AT, AT + 1, AT + 2), // many ties
    })
    const everyone: Account[] = []
    await fc.assert(
      fc.asyncProperty(
        fc.array(account, { maxLength: 12 }),
        fc.uniqueArray(oneOf('meta', 'instagram', 'threads')),
        fc.integer({ min: 1, max: 5 }),
        async (some, platforms, limit) => {
          const made = some.map((overrides) => buildAccount(overrides))
          await Promise.all(made.map((one) => fixture.store.accounts.insert(one)))
          everyone.push(...made)
          const found = await allPagesDue(fixture.store, { platforms, at: AT + 1, limit })
          expect(found.map(({ id }) => id)).toEqual(expected(everyone, platforms, AT + 1))
        },
      ),
      { numRuns: 15 },
    )
  })

  test('gives what a job needs', async () => {
    await using fixture = await open()
    const account = buildAccount({ platform: 'meta', serviceUrl: null, diesAt: null, pagesDueAt: AT })
    await fixture.store.accounts.insert(account)
    const { id, platform, serviceUrl, nextRefreshAt, diesAt } = account
    const query = { platforms: ['meta', 'meta'], at: AT, after: null, limit: 9 } as const
    expect(await fixture.store.accounts.pagesDue(query)).toStrictEqual([
      { id, platform, serviceUrl, nextRefreshAt, diesAt, pagesDueAt: AT },
    ])
  })

  test('an account whose Pages were fetched is no longer due, and none is skipped for it', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const all = Array.from({ length: 12 }, (_, i) =>
      buildAccount({ platform: 'meta', generation: 2, pagesDueAt: AT + Math.floor(i / 3) }),
    )
    await Promise.all(all.map((account) => accounts.insert(account)))
    const seen: string[] = []
    for (let after: PagesDueQuery['after'] = null; ; ) {
      const some: PagesDueAccount[] = await accounts.pagesDue({ platforms: ['meta'], at: AT + 9, after, limit: 4 })
      for (const { id, pagesDueAt } of some.slice(1)) expect(await accounts.write(pagesDone(id, pagesDueAt))).toBe(true)
      seen.push(...some.map(({ id }) => id))
      const last = some.at(-1)
      if (!last) break
      after = last
    }
    expect(seen.toSorted()).toEqual(all.map(({ id }) => id).toSorted())
    const left = await allPagesDue(fixture.store, { platforms: ['meta'], at: AT + 9, limit: 9 })
    expect(left).toHaveLength(3)
    // One that fell due anew meanwhile stays due.
    const [{ id, pagesDueAt }] = left as [PagesDueAccount]
    await accounts.write({ name: 'x', accountId: id, when: {}, change: { set: { pagesDueAt: AT + 5 } } })
    expect(await accounts.write(pagesDone(id, pagesDueAt))).toBe(false)
    expect(await accounts.get(id)).toMatchObject({ pagesGeneration: 0, pagesDueAt: AT + 5 })
  })
}

function pagesDone(accountId: string, pagesDueAt: number) {
  const change = { set: { pagesGeneration: 2, pagesDueAt: null } }
  return { name: 'pages', accountId, when: { generation: 2, pagesDueAt }, change }
}

async function allPagesDue(store: Store, query: Omit<PagesDueQuery, 'after'>): Promise<PagesDueAccount[]> {
  const found: PagesDueAccount[] = []
  for (;;) {
    const some = await store.accounts.pagesDue({ ...query, after: found.at(-1) ?? null })
    found.push(...some)
    if (some.length < query.limit) return found
  }
}

function expected(accounts: readonly Account[], platforms: readonly Platform[], at: number): string[] {
  return accounts
    .filter(({ platform, status }) => platforms.includes(platform) && status === 'active')
    .flatMap(({ id, pagesDueAt }) => (pagesDueAt !== null && pagesDueAt <= at ? [{ id, pagesDueAt }] : []))
    .toSorted((a, b) => a.pagesDueAt - b.pagesDueAt || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id)
}
