import { join } from 'node:path'
import { type Account, attemptKey, type Clock, makeId, systemClock } from '@tokenkeeper/core'
import type { Engine, PagesOutcome, RefreshOptions, RefreshOutcome } from '@tokenkeeper/engine'
import { createSqliteStore, type Store } from '@tokenkeeper/store'
import { buildAccount } from '@tokenkeeper/store/conformance'
import { createLoggers } from '@tokenkeeper/telemetry'
import { tempDir } from '@tokenkeeper/testkit'
import { createRedisConnections, type RedisAddress } from '../src/connection.ts'
import type { WorkerDeps } from '../src/deps.ts'
import { openQueues } from '../src/queues.ts'
import type { DefaultScheduleId, ScheduleSettings } from '../src/schedules/defaults.ts'
import { DEFAULT_QUEUE_SETTINGS, type QueueSettings } from '../src/settings.ts'

export interface Harness extends AsyncDisposable {
  readonly deps: WorkerDeps
  readonly store: Store
  readonly engine: FakeEngine
  readonly clock: MovableClock
  /** Log lines as JSON. */
  readonly lines: string[]
  /** Ordered by id. */
  addAccounts(count: number, overrides?: Partial<Account>): Promise<Account[]>
}

export interface HarnessOptions {
  /** Of a Redis on loopback; or the whole address. */
  readonly port?: number
  readonly address?: RedisAddress
  readonly settings?: Partial<QueueSettings>
  /** What the environment sets of schedules. */
  readonly schedules?: Partial<Record<DefaultScheduleId, Partial<ScheduleSettings>>>
}

const NOTHING_SET: ScheduleSettings = { pattern: undefined, tz: undefined, runLimit: undefined }

/** Real Redis and a real store under the queue; only the engine is a stand-in, since the protocol is not at stake. */
export async function startHarness(options: HarnessOptions): Promise<Harness> {
  const { address = { host: '127.0.0.1', port: options.port! }, settings, schedules = {} } = options
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const clock = movableClock()
  const store = stack.use(createSqliteStore({ path: join(dir.path, 'test.db'), clock }))
  const lines: string[] = []
  const destination = { write: (line: string) => lines.push(line) }
  const logger = createLoggers({ level: 'debug', format: 'json', destination })('queue')
  const redis = stack.use(createRedisConnections(address, clock, logger))
  const prefix = `{test-${makeId()}}`
  const queues = stack.use(openQueues(redis, prefix))
  const engine = createFakeEngine(store, clock)
  const deps: WorkerDeps = {
    store,
    queues,
    clock,
    makeId,
    logger,
    settings: { ...DEFAULT_QUEUE_SETTINGS, ...settings },
    schedules: {
      'meta-daily': { ...NOTHING_SET, ...schedules['meta-daily'] },
      'bluesky-weekly': { ...NOTHING_SET, ...schedules['bluesky-weekly'] },
    },
    engine,
    redis,
    prefix,
    platforms: ['bluesky'],
  }
  return {
    deps,
    store,
    engine,
    clock,
    lines,
    async addAccounts(count, overrides = {}) {
      const now = clock.now()
      const times = { connectedAt: now, nextRefreshAt: now - 1_000, diesAt: now + 30 * 86_400_000 }
      const accounts = Array.from({ length: count }, () => buildAccount({ ...times, ...overrides }))
      for (const account of accounts) await store.accounts.insert(account)
      return accounts.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

export interface MovableClock extends Clock {
  advance(ms: number): void
}

function movableClock(): MovableClock {
  let offset = 0
  return {
    ...systemClock,
    now: () => Date.now() + offset,
    advance(ms) {
      offset += ms
    },
  }
}

export interface FakeEngine extends Engine {
  readonly calls: { readonly accountId: string; readonly options: RefreshOptions }[]
  /** Accounts whose Pages were to be fetched. */
  readonly listed: string[]
  readonly relayed: string[]
  readonly removed: string[]
  /** After which Pages orphans were looked for; a walk has three parts. */
  readonly walked: (string | null)[]
  /** What a replay of the spools finds; counts the replays. */
  readonly spools: { landed: number; replays: number }
  /** How often halts were looked at. */
  readonly halts: { probed: number }
  /** How often old files of the journal were looked for. */
  readonly journal: { pruned: number }
  /** Replaces what a refresh does; the default writes a success into the store. */
  refresh: (accountId: string, options: RefreshOptions) => Promise<RefreshOutcome>
  /** Replaces what a fetch of Pages does; the default finds none due. */
  pages: (accountId: string) => Promise<PagesOutcome>
}

function createFakeEngine(store: Store, clock: Clock): FakeEngine {
  const atWork = new Set<Promise<unknown>>()
  const never = () => Promise.reject(new Error('not for the queue'))
  const engine: FakeEngine = {
    calls: [],
    listed: [],
    relayed: [],
    walked: [],
    removed: [],
    spools: { landed: 0, replays: 0 },
    halts: { probed: 0 },
    journal: { pruned: 0 },
    refresh: (accountId, options) => markRefreshed(store, clock, accountId, options),
    refreshAccount(accountId, options) {
      engine.calls.push({ accountId, options })
      const work = engine.refresh(accountId, options)
      atWork.add(work)
      void work.finally(() => atWork.delete(work)).catch(() => {})
      return work
    },
    pages: async () => ({ kind: 'not_due' }),
    fetchPages(accountId) {
      engine.listed.push(accountId)
      return engine.pages(accountId)
    },
    async relayAccount(accountId) {
      engine.relayed.push(accountId)
      const account = await store.accounts.get(accountId)
      await store.accounts.pull(accountId, account?.outbox.map(({ id }) => id) ?? [])
    },
    async removeAccount(accountId) {
      engine.removed.push(accountId)
      await store.accounts.deleteRemoved(accountId)
    },
    async replaySpools() {
      engine.spools.replays++
      return engine.spools.landed
    },
    async settle() {
      while (atWork.size > 0) await Promise.allSettled(atWork)
    },
    async probeHalts() {
      return engine.halts.probed++
    },
    async removeOrphanPages(afterId) {
      engine.walked.push(afterId)
      return engine.walked.length % 3 === 0 ? null : `page-${engine.walked.length}`
    },
    endHalts: never,
    connectAccount: never,
    importAccounts: never,
    pauseAccount: never,
    resumeAccount: never,
    resealAccount: never,
    restoreFromJournal: never,
    pruneJournal: async () => engine.journal.pruned++,
    async [Symbol.asyncDispose]() {},
  }
  return engine
}

export async function markRefreshed(
  store: Store,
  clock: Clock,
  accountId: string,
  { force = false, seen }: Pick<RefreshOptions, 'force' | 'seen'> = {},
  outcome: 'refreshed' | 'failed' = 'refreshed',
): Promise<RefreshOutcome> {
  const account = await store.accounts.get(accountId)
  if (account === null) return { kind: 'skipped', reason: 'not_found' }
  if (account.status !== 'active') return { kind: 'skipped', reason: 'not_active' }
  const now = clock.now()
  const asked = force && (seen === undefined || attemptKey(account.lastAttempt) === seen)
  if (!asked && account.nextRefreshAt > now) return { kind: 'skipped', reason: 'not_due' }
  const generation = account.generation + (outcome === 'refreshed' ? 1 : 0)
  const lastAttempt = { id: makeId(), outcome, generation, at: now }
  await store.accounts.write({
    name: 'commit',
    accountId,
    when: { generation: account.generation },
    change: { set: { generation, lastAttempt, attempt: null, nextRefreshAt: now + 5 * 86_400_000 } },
  })
  return outcome === 'refreshed'
    ? { kind: 'refreshed', generation }
    : { kind: 'failed', code: 'PROVIDER_UNREACHABLE', until: now + 60_000 }
}
