import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreFixture } from '../../src/conformance/fixture.ts'
import { createSqliteStore, type SqliteStoreOptions } from '../../src/sqlite/index.ts'

export interface SqliteFixture extends StoreFixture {
  readonly directory: string
  readonly path: string
}

/** A SQLite store in a directory of its own; both go when the fixture is disposed. */
export async function openSqliteFixture(options: Omit<SqliteStoreOptions, 'path'> = {}): Promise<SqliteFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'tokenkeeper-store-'))
  const path = join(directory, 'data', 'tokenkeeper.db')
  const store = createSqliteStore({ path, ...options })
  const opened = [store]
  return {
    store,
    directory,
    path,
    async openSecond() {
      const second = createSqliteStore({ path, ...options })
      opened.push(second)
      return second
    },
    async [Symbol.asyncDispose]() {
      for (const one of opened) await one[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
}
