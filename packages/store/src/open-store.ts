import { existsSync } from 'node:fs'
import { type Clock, CodedError, type Hook } from '@tokenkeeper/core'
import { createSqliteStore } from './sqlite/index.ts'
import type { Store } from './store.ts'

export interface OpenStoreOptions {
  readonly clock?: Clock
  readonly hook?: Hook
  /** Rejects with STORE_NOT_FOUND where there is no database yet, instead of making one. */
  readonly mustExist?: boolean
  /** Only to read: nothing is made, migrated or written. Rejects with STORE_OUTDATED where that would be needed first. */
  readonly readOnly?: boolean
}

/**
 * Opens the store that DATABASE_URL names: `sqlite:PATH`, `mongodb://HOST/DATABASE` or `mongodb+srv://HOST/DATABASE`.
 * Rejects with STORE_URL_UNKNOWN, which names the scheme alone since a URL may hold a password, or as the adapter does.
 */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<Store> {
  const [, scheme, path] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? []
  switch (scheme?.toLowerCase()) {
    case 'sqlite':
      if (!path)
        throw new CodedError('STORE_URL_UNKNOWN', {
          publicMessage: 'The database address (DATABASE_URL, if none was given) has no path: use sqlite:PATH.',
        })
      if ((options.mustExist || options.readOnly) && !existsSync(path)) throw new CodedError('STORE_NOT_FOUND')
      return createSqliteStore({ ...options, path })
    case 'mongodb':
    case 'mongodb+srv': {
      // Loaded only where it is used: that takes longer than opening a SQLite file.
      const { createMongoStore } = await import('./mongo/index.ts')
      return createMongoStore({ ...options, url })
    }
    default:
      throw new CodedError('STORE_URL_UNKNOWN', {
        publicMessage: scheme
          ? `The database address (DATABASE_URL, if none was given) names no known store (${scheme}:): use sqlite:PATH or mongodb://HOST/DATABASE.`
          : 'The database address (DATABASE_URL, if none was given) has no scheme: use sqlite:PATH or mongodb://HOST/DATABASE.',
      })
  }
}

/** The file that a DATABASE_URL names; null if it names none. */
export function sqlitePath(url: string): string | null {
  return /^sqlite:(.+)$/is.exec(url)?.[1] ?? null
}
