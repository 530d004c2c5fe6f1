import { describe, expect, test } from 'vitest'
import { buildAccount } from '../src/conformance/build-account.ts'
import { createSqliteStore } from '../src/index.ts'
import { processTests } from './support/process-tests.ts'
import { runChildOnSmallDisk } from './support/processes.ts'
import { openSqliteFixture } from './support/sqlite-fixture.ts'

describe('several processes on one file', () => {
  processTests(async () => {
    const fixture = await openSqliteFixture()
    return { ...fixture, url: `sqlite:${fixture.path}` }
  })
})

test('a full disk is unavailable, and loses nothing that was acknowledged', async () => {
  await using fixture = await openSqliteFixture()
  await fixture.store[Symbol.asyncDispose]()
  const output = await runChildOnSmallDisk(2_000, 'fill-disk.ts', fixture.path)
  const { code, ids, readable } = JSON.parse(output) as { code: string; ids: string[]; readable: number }
  expect(code).toBe('STORE_UNAVAILABLE')
  expect(ids.length).toBeGreaterThan(3)
  expect(readable).toBe(ids.length)
  await using store = createSqliteStore({ path: fixture.path })
  expect(await store.accounts.getMany(ids)).toHaveLength(ids.length)
  await store.accounts.insert(buildAccount())
})
