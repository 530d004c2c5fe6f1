import type {
  Account,
  AccountEvent,
  AccountStatus,
  ApiKey,
  AuditEntry,
  Halt,
  OutboxItem,
  Page,
  Platform,
  RefreshLogEntry,
} from '@tokenkeeper/core'
import type { ExpiringPagesQuery, ExpiringQuery, LogStats, LogStatsQuery } from './reports.ts'
import type { AccountWrite } from './write.ts'

/**
 * Where accounts live. One document is the unit of atomicity; there are no transactions across documents.
 * Every method may reject with CodedError STORE_UNAVAILABLE, which says nothing about whether a write was applied.
 */
export interface Store extends AsyncDisposable {
  readonly accounts: AccountStore
  readonly pages: AccountPageStore
  readonly halts: HaltStore
  readonly log: LogStore
  readonly events: EntryStore<AccountEvent>
  readonly audit: EntryStore<AuditEntry>
  readonly runs: RunStore
  readonly schedules: ScheduleStore
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
  /** Active accounts whose Pages are to be fetched, ordered by (pagesDueAt, id), after the cursor. Served by an index. */
  pagesDue(query: PagesDueQuery): Promise<PagesDueAccount[]>
  /**
   * Attempts that may be taken over by `now`: live past their lease, released or held past notBefore; the longest
   * waiting first. Not those of quarantined accounts or of ones being removed. Served by an index.
   */
  stale(query: { readonly now: number; readonly limit: number }): Promise<DueAccount[]>
  /** Ids of accounts whose outbox is not empty, ordered by id. Served by an index. */
  withOutbox(query: { readonly afterId: string | null; readonly limit: number }): Promise<string[]>
  /**
   * Those that come to their end (`endOf`) within a time, by (end, id), after the cursor; whatever their status, but not
   * those being removed. Served by an index.
   */
  expiring(query: ExpiringQuery): Promise<Account[]>
  /** Ordered by id. */
  list(query: ListQuery): Promise<Account[]>
  count(query: Pick<ListQuery, 'platform' | 'statusIn'>): Promise<number>
  /** Takes items off an outbox by their ids. False if there is no such account. */
  pull(id: string, itemIds: readonly string[]): Promise<boolean>
  /** Deletes the document, only if it is `removing` and its outbox is empty. */
  deleteRemoved(id: string): Promise<boolean>
  /** Has another account, of another owner and not being removed, the same login at the same app? Served by an index. */
  isShared(account: Pick<Account, 'id' | 'platform' | 'providerAppId' | 'externalId'>): Promise<boolean>
  /** How much is sealed by each key that is in use, by key id. One scan in the database, since it is seldom asked. */
  countKeys(): Promise<AccountKeyCounts[]>
}

/** What one key seals in accounts. */
export interface AccountKeyCounts {
  readonly keyId: string
  readonly current: number
  readonly previous: number
  readonly former: number
  readonly appPasswords: number
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

export interface PagesDueQuery {
  readonly platforms: readonly Platform[]
  /** Those whose pagesDueAt is not later than this (ms). */
  readonly at: number
  readonly after: { readonly pagesDueAt: number; readonly id: string } | null
  readonly limit: number
}

export interface PagesDueAccount extends DueAccount {
  readonly pagesDueAt: number
}

export interface ListQuery {
  readonly platform?: Platform
  readonly platformIn?: readonly Platform[]
  readonly statusIn?: readonly AccountStatus[]
  readonly ownerId?: string
  readonly afterId: string | null
  readonly limit: number
}

/** How everything that a store holds of one kind can be read, for copies. */
export interface Scannable<T> {
  /** Those after the id, in the store's own order of ids. Served by an index. */
  scan(query: { readonly afterId: string | null; readonly limit: number }): Promise<T[]>
  /** Those that exist, in no particular order. */
  getMany(ids: readonly string[]): Promise<T[]>
}

/** What is kept for a time only. */
export interface Prunable {
  /**
   * Removes those from before the time (ms), the oldest first, `limit` at most; resolves with how many. Runs count from
   * their end, and unfinished ones stay. Served by an index.
   */
  prune(query: { readonly before: number; readonly limit: number }): Promise<number>
}

/** The Facebook Pages of accounts. What is written at once shares transactions or bulk writes, some hundreds in each. */
export interface AccountPageStore extends Scannable<Page> {
  /**
   * Inserts each, or puts it in the place of the one that is there, if that was not listed later: if (parentGeneration,
   * refreshedAt) of the one there is not greater, so that a slow older listing overwrites no newer one. Resolves with
   * the ids of those that surely landed; read again to learn of the others.
   */
  put(pages: readonly Page[]): Promise<ReadonlySet<string>>
  /** Puts each `to` in the place of its `from`, only if that is still exactly as it was read. Resolves as `put`. */
  update(changes: readonly PageChange[]): Promise<ReadonlySet<string>>
  get(id: string): Promise<Page | null>
  /** Ordered by id. */
  ofAccount(accountId: string, query: { readonly afterId: string | null; readonly limit: number }): Promise<Page[]>
  /** Those whose own token ends within a time, by (tokenExpiresAt, id), after the cursor. Served by an index. */
  expiring(query: ExpiringPagesQuery): Promise<Page[]>
  removeAccount(accountId: string): Promise<void>
  /** How many tokens are sealed by each key that is in use, by key id. One scan in the database. */
  countKeys(): Promise<PageKeyCounts[]>
}

export interface PageKeyCounts {
  readonly keyId: string
  readonly pages: number
}

/** One Page as it was read, and as it is to be. */
export interface PageChange {
  readonly from: Page
  readonly to: Page
}

/** At most one halt for each platform app, under an id made from both. */
export interface HaltStore {
  /** False if one stands there already; then nothing changes. */
  insert(halt: Halt): Promise<boolean>
  get(id: string): Promise<Halt | null>
  /** The oldest first. There are few. */
  list(): Promise<Halt[]>
  /**
   * Only if it is still exactly as it was read: of many workers that move probeAt of one halt at once, exactly one is
   * told true, and may probe.
   */
  update(from: Halt, to: Halt): Promise<boolean>
  /** Only if it is still exactly as it was read. */
  remove(halt: Halt): Promise<boolean>
}

export interface EntryStore<T> extends Scannable<T>, Prunable {
  /** Inserts under the entries' own ids; one that is there already is left as it is. */
  insert(entries: readonly T[]): Promise<void>
  /** Newest first. */
  list(query: { readonly accountId?: string; readonly limit: number }): Promise<T[]>
}

export interface LogStore extends Scannable<RefreshLogEntry>, Prunable {
  /**
   * Inserts under the entries' own ids. An entry that is there is replaced only by a stronger outcome of the same
   * attempt: `refreshed` over the attempt's own verdict over `interrupted`, `superseded` and `removed`.
   */
  put(entries: readonly RefreshLogEntry[]): Promise<void>
  get(id: string): Promise<RefreshLogEntry | null>
  /** Newest first. `pageId: null`: without those of Pages. */
  list(query: {
    readonly accountId?: string
    readonly pageId?: null
    readonly success?: boolean
    readonly limit: number
  }): Promise<RefreshLogEntry[]>
  /** Counted by the database. Reads what lies in the time, by an index. */
  stats(query: LogStatsQuery): Promise<LogStats>
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
  /** The accounts after the cursor that are at work now, in the order of their ids; null between two windows. */
  readonly window: readonly SeenAccount[] | null
  readonly totals: RunTotals
}

/** An account as it stood when its window of a run was begun: what differs later happened in the run. */
export interface SeenAccount {
  readonly id: string
  /** By `attemptKey`. */
  readonly attempted: string
  readonly snoozedAt: number | null
}

export interface RunFilter {
  /** Absent = all. */
  readonly platforms?: readonly Platform[]
  /** Only accounts that fall due by this time (ms); absent = every active account. */
  readonly dueBefore?: number
}

export type RunTotals = Readonly<Record<RunTotalName, number>> & {
  readonly platforms: Readonly<Partial<Record<Platform, Readonly<Record<RunTotalName, number>>>>>
}
export type RunTotalName = 'total' | 'refreshed' | 'failed' | 'skipped' | 'deferred'

export interface RunStore extends Scannable<Run>, Prunable {
  /** Inserts, unless (scheduleId, occurrence) is there: returns the run that stands. */
  insert(run: Run): Promise<Run>
  get(id: string): Promise<Run | null>
  /** The one of this schedule that was created last. Served by an index. */
  latest(scheduleId: string): Promise<Run | null>
  /** Oldest first. */
  unfinished(limit: number): Promise<Run[]>
  /** Notes the window after the cursor, only if the cursor is still `from`, none is noted, and the run goes on. */
  beginWindow(id: string, from: string | null, window: readonly SeenAccount[]): Promise<boolean>
  /** Moves cursor, totals and finishedAt together and forgets the window, only if the cursor is still `from`. */
  advance(id: string, from: string | null, to: Pick<Run, 'cursor' | 'totals' | 'finishedAt'>): Promise<boolean>
}

/** A refresh-all that comes back at the times of a cron pattern. */
export interface Schedule {
  /** Its name. */
  readonly id: string
  /** Five fields (minute, hour, day of month, month, day of week), or six, of which the first are seconds. */
  readonly pattern: string
  /** IANA name of the time zone. */
  readonly tz: string
  /** Empty = all. */
  readonly platforms: readonly Platform[]
  /** How many runs it starts in all; null = no end. */
  readonly runLimit: number | null
  /** How many runs its times have started, ever: those begun by hand are not counted. */
  readonly startedRuns: number
  readonly isOn: boolean
  /** The latest of its times that was taken (ms): none is taken twice, also when its run was pruned. */
  readonly lastOccurrence: number | null
  /** The time that was taken and whose run is not known to stand yet (ms). */
  readonly pending: number | null
  /** When it was made, turned on or given other times (ms): what lies before was never its own. */
  readonly changedAt: number
  /** The variables of the environment that set parts of it. */
  readonly pinnedBy: readonly string[]
}

/** There are few. */
export interface ScheduleStore {
  /** False if one of this name stands there already; then nothing changes. */
  insert(schedule: Schedule): Promise<boolean>
  get(id: string): Promise<Schedule | null>
  /** By their names. */
  list(): Promise<Schedule[]>
  /** Only if it is still exactly as it was read: of many that take one occurrence at once, exactly one is told true. */
  update(from: Schedule, to: Schedule): Promise<boolean>
  /** Only if it is still exactly as it was read. */
  remove(schedule: Schedule): Promise<boolean>
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
