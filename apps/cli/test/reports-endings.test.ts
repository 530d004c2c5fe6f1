import { join } from 'node:path'
import { PLATFORMS } from '@tokenkeeper/core'
import { createSqliteStore, type Store } from '@tokenkeeper/store'
import { AT, buildAccount, buildPage } from '@tokenkeeper/store/conformance'
import { tempDir } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { type Ending, endings } from '../src/reports/endings.ts'

/** As the store is, noting how many entities each read brought. */
function noting(store: Store, reads: number[]): Store {
  const note = async <T>(reading: Promise<T[]>) => {
    const found = await reading
    reads.push(found.length)
    return found
  }
  const { accounts, pages } = store
  return {
    ...store,
    accounts: {
      ...accounts,
      expiring: (query) => note(accounts.expiring(query)),
      getMany: (ids) => note(accounts.getMany(ids)),
    },
    pages: { ...pages, expiring: (query) => note(pages.expiring(query)) },
  }
}

test('more than are read at once: all, each once, by their ends, and some hundreds in a read', async () => {
  await using dir = await tempDir()
  await using store = createSqliteStore({ path: join(dir.path, 'tokenkeeper.db') })
  const accounts = Array.from({ length: 1_300 }, (_, i) =>
    buildAccount({
      platform: i % 2 ? 'meta' : 'bluesky',
      diesAt: AT + ((i * 7) % 400), // ties
      dataAccessExpiresAt: i % 3 ? null : AT + ((i * 5) % 400),
    }),
  )
  await Promise.all(accounts.map((account) => store.accounts.insert(account)))
  const owners = accounts.filter(({ platform }) => platform === 'meta').slice(0, 600)
  const pages = owners.map(({ id }, i) => buildPage({ accountId: id, tokenExpiresAt: AT + ((i * 3) % 400) }))
  await store.pages.put(pages)

  const reads: number[] = []
  const query = { platforms: PLATFORMS, from: AT, before: AT + 400 }
  const found: Ending[] = []
  for await (const ending of endings(noting(store, reads), query)) found.push(ending)
  expect(found).toHaveLength(1_900)
  expect(new Set(found.map(({ account, page }) => (page ?? account).id)).size).toBe(1_900)
  expect(found.map(({ at }) => at)).toEqual(found.map(({ at }) => at).toSorted((a, b) => a - b))
  expect(Math.max(...reads)).toBe(500)

  // Who wants a few reads a few.
  reads.length = 0
  for await (const ending of endings(noting(store, reads), { ...query, platforms: ['bluesky'] })) {
    expect(ending.account.platform).toBe('bluesky')
    break
  }
  expect(reads).toEqual([500])
})
