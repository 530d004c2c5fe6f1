import { type Account, endOf, type Page, type Platform } from '@tokenkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Store } from '../store.ts'
import { AT, buildAccount, buildPage } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

const oneOf = <const T>(...values: T[]) => fc.constantFrom(...values)
/** Many ties, and ends right at the border. */
const anEnd = () => oneOf(null, AT - 1, AT, AT + 1, AT + 2, AT + 3)
const RANGE = { from: AT, before: AT + 3 }

export function expiringTests(open: OpenFixture): void {
  test('accounts by their end, whichever it is, by (end, id)', async () => {
    await using fixture = await open()
    const account = fc.record({
      platform: oneOf('meta', 'instagram', 'bluesky'),
      status: oneOf('active', 'active', 'paused', 'needs_reconnect', 'removing'),
      diesAt: anEnd(),
      dataAccessExpiresAt: anEnd(),
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
          expect(await allExpiring(fixture.store, platforms, limit)).toEqual(expected(everyone, platforms))
        },
      ),
      { numRuns: 15 },
    )
  })

  test('an account is told as it is, and leaves with a later end', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount({ diesAt: AT + 1, dataAccessExpiresAt: AT })
    await accounts.insert(account)
    const query = { platforms: ['bluesky', 'bluesky'], ...RANGE, after: null, limit: 9 } as const
    expect(await accounts.expiring(query)).toStrictEqual([account])
    const change = { set: { diesAt: AT + 90, dataAccessExpiresAt: null } }
    await accounts.write({ name: 'commit', accountId: account.id, when: {}, change })
    expect(await accounts.expiring(query)).toEqual([])
    expect(await accounts.expiring({ ...query, platforms: [] })).toEqual([])
  })

  test('Pages whose tokens end, by (end, id); most have no end', async () => {
    await using fixture = await open()
    const all = Array.from({ length: 23 }, (_, i) =>
      buildPage({ tokenExpiresAt: i % 4 ? AT - 1 + (i % 5) : null, status: i % 3 ? 'active' : 'lost' }),
    )
    await fixture.store.pages.put(all)
    for (const limit of [1, 3, 50]) {
      const found: Page[] = []
      for (;;) {
        const last = found.at(-1)
        const after = last ? { tokenExpiresAt: last.tokenExpiresAt!, id: last.id } : null
        const some = await fixture.store.pages.expiring({ ...RANGE, after, limit })
        found.push(...some)
        if (some.length < limit) break
      }
      expect(found).toStrictEqual(inOrder(all, ({ tokenExpiresAt }) => tokenExpiresAt))
    }
  })
}

async function allExpiring({ accounts }: Store, platforms: readonly Platform[], limit: number): Promise<string[]> {
  const found: Account[] = []
  for (;;) {
    const last = found.at(-1)
    const after = last ? { endsAt: endOf(last)!.at, id: last.id } : null
    const some = await accounts.expiring({ platforms, ...RANGE, after, limit })
    found.push(...some)
    if (some.length < limit) return found.map(({ id }) => id)
  }
}

function expected(accounts: readonly Account[], platforms: readonly Platform[]): string[] {
  const listed = accounts.filter(({ platform, status }) => platforms.includes(platform) && status !== 'removing')
  return inOrder(listed, (account) => endOf(account)?.at ?? null).map(({ id }) => id)
}

function inOrder<T extends { readonly id: string }>(all: readonly T[], timeOf: (one: T) => number | null): T[] {
  return all
    .flatMap((one) => {
      const at = timeOf(one)
      return at !== null && RANGE.from <= at && at < RANGE.before ? [{ one, at }] : []
    })
    .toSorted((a, b) => a.at - b.at || (a.one.id < b.one.id ? -1 : 1))
    .map(({ one }) => one)
}
