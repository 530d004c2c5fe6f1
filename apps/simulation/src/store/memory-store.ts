import type { Store } from '@tokenkeeper/store'
import { createAccountStore } from './accounts.ts'
import type { About, Change } from './database.ts'
import { createApiKeyStore, createEntryStore, createLogStore, createRunStore } from './entries.ts'
import { createAccountPageStore, createHaltStore } from './pages.ts'
import { createScheduleStore } from './schedules.ts'

/** The way from a process to the database. */
export interface Transport {
  read<T>(name: string, query: Change<T>): Promise<T>
  /** Resolves once the change is durable. */
  write<T>(about: About, change: Change<T>): Promise<T>
  close?(): Promise<void>
}

/** A store in memory; its transport decides when, and whether, calls arrive and answers come back. */
export function createMemoryStore(transport: Transport): Store {
  return {
    accounts: createAccountStore(transport),
    pages: createAccountPageStore(transport),
    halts: createHaltStore(transport),
    log: createLogStore(transport),
    events: createEntryStore(transport, ({ events }) => events),
    audit: createEntryStore(transport, ({ audit }) => audit),
    runs: createRunStore(transport),
    schedules: createScheduleStore(transport),
    apiKeys: createApiKeyStore(transport),
    ping: () => transport.write({ name: 'ping' }, () => undefined),
    [Symbol.asyncDispose]: async () => transport.close?.(),
  }
}
