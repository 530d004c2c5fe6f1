import {
  type AccountEvent,
  type AuditEntry,
  type Clock,
  CodedError,
  type Hook,
  noHook,
  systemClock,
} from '@tokenkeeper/core'
import type { Store } from '../store.ts'
import { createAccountStore } from './accounts.ts'
import { createApiKeyStore } from './api-keys.ts'
import { createConnection } from './connection.ts'
import { createEntryStore } from './entries.ts'
import { createHaltStore } from './halts.ts'
import { createLogStore } from './log.ts'
import { createAccountPageStore } from './pages.ts'
import { assertCurrent, isThere, prepare, upsertMeta } from './prepare.ts'
import { createRunStore } from './runs.ts'
import { createScheduleStore } from './schedules.ts'
import { auditSchema, eventSchema } from './schemas.ts'

export interface MongoStoreOptions {
  /** `mongodb://HOST/DATABASE` or `mongodb+srv://…`, with the driver's options. */
  readonly url: string
  readonly clock?: Clock
  readonly hook?: Hook
  /** Rejects with STORE_NOT_FOUND where there is no database yet, instead of making one. */
  readonly mustExist?: boolean
  /** Only to read: nothing is made, brought up to date or written by opening it. */
  readonly readOnly?: boolean
}

/**
 * A store in a MongoDB, for the processes of many machines. Uses neither transactions nor change streams. Rejects with
 * STORE_URL_UNKNOWN, STORE_UNAVAILABLE, STORE_REFUSED, STORE_TOO_OLD, STORE_TOO_NEW or, to read only, STORE_OUTDATED; its
 * methods reject with the same codes, within some 5 s.
 */
export async function createMongoStore(options: MongoStoreOptions): Promise<Store> {
  const { clock = systemClock, hook = noHook } = options
  const connection = createConnection(options.url, clock)
  try {
    const mustExist = options.mustExist || options.readOnly
    if (mustExist && !(await isThere(connection))) throw new CodedError('STORE_NOT_FOUND')
    await (options.readOnly ? assertCurrent(connection) : prepare(connection, clock))
  } catch (error) {
    await connection.close()
    throw error
  }
  return {
    accounts: createAccountStore(connection, hook),
    pages: createAccountPageStore(connection),
    halts: createHaltStore(connection),
    log: createLogStore(connection),
    events: createEntryStore<AccountEvent>(connection, eventSchema),
    audit: createEntryStore<AuditEntry>(connection, auditSchema),
    runs: createRunStore(connection),
    schedules: createScheduleStore(connection),
    apiKeys: createApiKeyStore(connection),
    ping: () => connection.run((db) => upsertMeta(db, 'ping', { $set: { at: new Date(clock.now()) } })),
    [Symbol.asyncDispose]: () => connection.close(),
  }
}
