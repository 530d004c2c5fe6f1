import type {
  Account,
  AccountEvent,
  AccountStatus,
  ApiKey,
  AuditEntry,
  OutboxItem,
  Platform,
  RefreshLogEntry,
} from '@tokenkeeper/core'
import type { AccountWrite } from './write.ts'

/**
 * Where accounts live. One account document is the unit of atomicity; there are no transactions across documents.
 * Every method may reject with CodedError STORE_UNAVAILABLE, which says nothing about whether a write was applied.
 */
export interface Store extends AsyncDisposable {
  readonly accounts: AccountStore
  readonly log: LogStore
  readonly events: EntryStore<AccountEvent>
  readonly audit: EntryStore<AuditEntry>
  readonly runs: RunStore
  readonly apiKeys: ApiKeyStore
  /** Resolves if the store can be read and written now. */
  ping(): Promise<void>
}

export interface AccountStore {
  /** Rejects with ACCOUNT_EXISTS if (ownerId, platform, providerAppId, externalId) or the id is taken. */
  insert(account: Account): Promise<void>
  /** Reads what a majority has acknowledged. */
  get(id: string): Promise<Account | null>
  /** Those that exist, in no particular order. */
  getMany(ids: readonly string[]): Promise<Account[]>
  findByLogin(login: Login): Promise<Account | null>
  /**
   * Carries out one compare-and-set. True: it matched and is durable. False: it is not known to have matched (it lost,
   * or its batch did not match in full); read again to learn. Writes that arrive together share one transaction or
   * bulk write, but never two on the same document.
   */
  write(write: AccountWrite): Promise<boolean>
  /** Accounts that fall due by `before`, ordered by (nextRefreshAt, id), after the cursor. Served by an index. */
  due(query: DueQuery): Promise<DueAccount[]>
  /**
   * Attempts that may be taken over by `now`: live past their lease, released or held past notBefore; the longest
   * waiting first. Not those of quarantined accounts or of ones being removed. Served by an index.
   */
  stale(query: { readonly now: number; readonly limit: number }): Promise<DueAccount[]>
  /** Ids of accounts whose outbox is not empty, ordered by id. Served by an index. */
  withOutbox(query: { readonly afterId: string | null; readonly limit: number }): Promise<string[]>
  /** Ordered by id. */
  list(query: ListQuery): Promise<Account[]>
  count(query: Pick<ListQuery, 'platform' | 'statusIn'>): Promise<number>
  /** Takes items off an outbox by their ids. */
  pull(id: string, itemIds: readonly string[]): Promise<void>
  /** Deletes the document, only if it is `removing` and its outbox is empty. */
  deleteRemoved(id: string): Promise<boolean>
  /** Does any document still hold something sealed by this key? Tells whether the key may be retired. */
  usesKey(keyId: string): Promise<boolean>
}

export interface Login {
  readonly ownerId: string
  readonly platform: Platform
  readonly providerAppId: string
  readonly externalId: string
}

export interface DueQuery {
  readonly platform: Platform
  readonly statusIn: readonly AccountStatus[]
  readonly before: number
  readonly after: { readonly nextRefreshAt: number; readonly id: string } | null
  readonly limit: number
}

/** What the sweep needs to make a job. */
export interface DueAccount {
  readonly id: string
  readonly platform: Platform
  readonly serviceUrl: string | null
  readonly nextRefreshAt: number
  readonly diesAt: number | null
}

export interface ListQuery {
  readonly platform?: Platform
  readonly statusIn?: readonly AccountStatus[]
  readonly ownerId?: string
  readonly afterId: string | null
  readonly limit: number
}

/** How everything that a store holds of one kind can be read, for copies. */
export interface PageStore<T> {
  /** Those after the id, in the store's own order of ids. Served by an index. */
  page(query: { readonly afterId: string | null; readonly limit: number }): Promise<T[]>
  /** Those that exist, in no particular order. */
  getMany(ids: readonly string[]): Promise<T[]>
}

export interface EntryStore<T> extends PageStore<T> {
  /** Inserts under the entries' own ids; one that is there already is left as it is. */
  insert(entries: readonly T[]): Promise<void>
  /** Newest first. */
  list(query: { readonly accountId?: string; readonly limit: number }): Promise<T[]>
}

export interface LogStore extends PageStore<RefreshLogEntry> {
  /**
   * Inserts under the entries' own ids. An entry that is there is replaced only by a stronger outcome of the same
   * attempt: `refreshed` over the attempt's own verdict over `interrupted`, `superseded` and `removed`.
   */
  put(entries: readonly RefreshLogEntry[]): Promise<void>
  get(id: string): Promise<RefreshLogEntry | null>
  /** Newest first. */
  list(query: {
    readonly accountId?: string
    readonly success?: boolean
    readonly limit: number
  }): Promise<RefreshLogEntry[]>
  removeAccount(accountId: string): Promise<void>
}

/** One refresh-all. */
export interface Run {
  readonly id: string
  readonly scheduleId: string
  /** Which occurrence of the schedule (ISO time), or a unique id for a run asked for by hand. */
  readonly occurrence: string
  readonly filter: RunFilter
  readonly requestedBy: string
  readonly createdAt: number
  readonly startedAt: number
  readonly finishedAt: number | null
  /** The last account id that is accounted for. */
  readonly cursor: string | null
  readonly totals: RunTotals
}

export interface RunFilter {
  readonly platform?: Platform
  /** Only accounts that fall due by this time (ms); absent = every active account. */
  readonly dueBefore?: number
}

export type RunTotals = Readonly<Record<RunTotalName, number>> & {
  readonly platforms: Readonly<Partial<Record<Platform, Readonly<Record<RunTotalName, number>>>>>
}
export type RunTotalName = 'total' | 'refreshed' | 'failed' | 'skipped' | 'deferred'

export interface RunStore extends PageStore<Run> {
  /** Inserts, unless (scheduleId, occurrence) is there: returns the run that stands. */
  insert(run: Run): Promise<Run>
  get(id: string): Promise<Run | null>
  /** The one of this schedule that was created last. Served by an index. */
  latest(scheduleId: string): Promise<Run | null>
  /** Oldest first. */
  unfinished(limit: number): Promise<Run[]>
  /** Moves cursor, totals and finishedAt together, only if the cursor is still `from`. */
  advance(id: string, from: string | null, to: Pick<Run, 'cursor' | 'totals' | 'finishedAt'>): Promise<boolean>
}

export interface ApiKeyStore {
  insert(key: ApiKey): Promise<void>
  get(id: string): Promise<ApiKey | null>
  /** Revoked ones too; oldest first. There are few. */
  list(): Promise<ApiKey[]>
  /** False if there is no such key, or it was revoked before; then nothing changes. */
  revoke(id: string, at: number): Promise<boolean>
}

export type { OutboxItem }
