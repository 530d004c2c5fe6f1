import { type Clock, type Hook, noHook, systemClock } from '@tokenkeeper/core'
import type { Store } from '../store.ts'
import { createAccountStore } from './accounts.ts'
import { createApiKeyStore } from './api-keys.ts'
import { createConnection } from './connection.ts'
import { createEntryStore } from './entries.ts'
import { createHaltStore } from './halts.ts'
import { createLogStore } from './log.ts'
import { openDatabase, openToRead } from './open.ts'
import { createAccountPageStore } from './pages.ts'
import { auditTable, eventTable } from './rows.ts'
import { createRunStore } from './runs.ts'
import { createScheduleStore } from './schedules.ts'
import { createWriter, NO_WRITER } from './writer.ts'

export interface SqliteStoreOptions {
  /** The database file; made if it is not there, 0600 in a 0700 directory. */
  readonly path: string
  readonly clock?: Clock
  readonly hook?: Hook
  /** How long (ms) one try may block the event loop waiting for another process's write; it then waits asynchronously. */
  readonly busyTimeoutMs?: number
  /** The file is there and is only read; writes reject. */
  readonly readOnly?: boolean
}

const PING_SQL = 'INSERT INTO pings (id, at) VALUES (1, ?) ON CONFLICT DO UPDATE SET at = excluded.at'

/**
 * A store in one SQLite file, for all processes of one machine. Throws STORE_UNAVAILABLE, STORE_CORRUPT,
 * STORE_TOO_NEW or, to read only, STORE_OUTDATED; its methods reject with the same codes.
 */
export function createSqliteStore(options: SqliteStoreOptions): Store {
  const { clock = systemClock, hook = noHook, busyTimeoutMs = 20 } = options
  const connection = options.readOnly
    ? createConnection(openToRead(options.path, busyTimeoutMs), NO_WRITER, { clock, hook })
    : createConnection(openDatabase(options.path, busyTimeoutMs), createWriter({ path: options.path, busyTimeoutMs }), {
        clock,
        hook,
      })
  return {
    accounts: createAccountStore(connection),
    pages: createAccountPageStore(connection),
    halts: createHaltStore(connection),
    log: createLogStore(connection),
    events: createEntryStore(connection, eventTable),
    audit: createEntryStore(connection, auditTable),
    runs: createRunStore(connection),
    schedules: createScheduleStore(connection),
    apiKeys: createApiKeyStore(connection),
    async ping() {
      await connection.write({ sql: PING_SQL, params: [[clock.now()]] })
    },
    [Symbol.asyncDispose]: () => connection.close(),
  }
}
