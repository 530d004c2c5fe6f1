import { CodedError } from '@tokenkeeper/core'
import { inspectSqlite } from './sqlite/inspect.ts'

/** How a store is, for people who look after it. */
export interface StoreInspection {
  readonly kind: 'sqlite' | 'mongodb'
  /** Of the server, or of SQLite itself. */
  readonly version: string
  /** Of the schema: what the database has, and what this program makes of it when it is opened. */
  readonly schema: { readonly found: number; readonly known: number }
  readonly missingIndexes: readonly string[]
  /** Why what was acknowledged may not outlive a crash; null = it does. */
  readonly notDurable: string | null
  /** How many servers hold the data; null = that was not told. */
  readonly copies: number | null
}

/**
 * Looks at the database without changing it: nothing is made, migrated or written, but a write is tried that has no effect.
 * Rejects with STORE_NOT_FOUND where there is none, with STORE_URL_UNKNOWN, or with what would keep the store from use.
 */
export async function inspectStore(url: string): Promise<StoreInspection> {
  const [, scheme = '', path = ''] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? []
  if (/^sqlite$/i.test(scheme) && path !== '') return inspectSqlite(path)
  if (!/^mongodb(\+srv)?$/i.test(scheme)) throw new CodedError('STORE_URL_UNKNOWN')
  const { inspectMongo } = await import('./mongo/inspect.ts')
  return inspectMongo(url)
}
