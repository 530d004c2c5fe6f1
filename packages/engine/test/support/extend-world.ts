import { join } from 'node:path'
import { type Account, type Clock, DAY, DEFAULT_DUE_POLICY, makeId, noHook, systemClock } from '@tokenkeeper/core'
import type { FreshLogin } from '@tokenkeeper/providers'
import { type AccountWrite, createSealer, createSqliteStore, parseKeyRing, type Store } from '@tokenkeeper/store'
import { createLoggers } from '@tokenkeeper/telemetry'
import { tempDir } from '@tokenkeeper/testkit'
import {
  createEngine,
  createHostPacing,
  createJournal,
  createSpool,
  DEFAULT_TIMES,
  openCredential,
} from '../../src/index.ts'
import { createExtendProvider } from './extend-provider.ts'
import { startTokenServer } from './token-server.ts'

/** A write that the store carried out, or refused. */
export interface SeenWrite {
  readonly write: AccountWrite
  readonly done: boolean
}

export type ExtendWorld = Awaited<ReturnType<typeof createExtendWorld>>

/** An engine with accounts of the kind `extend`: a real token server, SQLite, spool; the wall clock moves only when told. */
export async function createExtendWorld() {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  let wallClock = Date.now()
  let giveUp = () => {}
  const clock: Clock = {
    ...systemClock,
    now: () => wallClock,
    sleep: (ms, signal) => (ms === DEFAULT_TIMES.providerTimeoutMs ? patience(signal) : systemClock.sleep(ms, signal)),
  }
  /** The engine's patience with the provider ends when told, so that a slow machine does not end it. */
  const patience = (signal?: AbortSignal) =>
    new Promise<void>((resolve) => {
      giveUp = resolve
      signal?.addEventListener('abort', () => resolve())
    })
  const server = stack.use(await startTokenServer({ now: clock.now }))
  const seen: SeenWrite[] = []
  const store = recording(stack.use(createSqliteStore({ path: join(dir.path, 'tokenkeeper.db'), clock })), seen)
  const sealer = createSealer(parseKeyRing(`k1:${Buffer.alloc(32, 7).toString('base64')}`))
  const journalDir = join(dir.path, 'journal')
  const logger = createLoggers({ level: 'silent', format: 'json' })('engine')
  const engine = stack.use(
    createEngine({
      clock,
      makeId,
      store,
      sealer,
      hook: noHook,
      random: Math.random,
      providers: new Map([['meta', createExtendProvider({ url: server.url, clock })]]),
      spool: createSpool({ dir: join(dir.path, 'spool'), clock }),
      pacing: createHostPacing(clock),
      journal: createJournal({ dir: journalDir, keepMs: 30 * DAY, clock, logger }),
      logger,
      workerId: 'worker-1',
      times: DEFAULT_TIMES,
      due: DEFAULT_DUE_POLICY,
    }),
  )

  /** A new account whose token lives this long (default 60 days). */
  async function connect(livesMs?: number): Promise<Account> {
    const { token, expiresAt } = server.issue(livesMs)
    const login: FreshLogin = {
      platform: 'meta',
      providerAppId: 'app-1',
      externalId: makeId(),
      displayName: 'A user',
      serviceUrl: null,
      issuer: null,
      scopes: [],
      credential: { accessToken: token, refreshToken: '' },
      accessExpiresAt: expiresAt,
      diesAt: expiresAt,
    }
    return engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
  }

  async function read(accountId: string): Promise<Account> {
    const account = await store.accounts.get(accountId)
    if (!account) throw new Error(`no account ${accountId}`)
    return account
  }

  const refresh = (id: string) => engine.refreshAccount(id, { type: 'scheduled', force: true })

  return {
    server,
    store,
    engine,
    clock,
    journalDir,
    connect,
    read,
    token: (account: Account) => openCredential(sealer, account.id, account.sealedCredential).accessToken,
    refresh,
    /** A refresh whose answer the server holds, until the engine gives up waiting. */
    async refreshInVain(id: string) {
      const refreshing = refresh(id)
      await server.holding
      giveUp()
      return refreshing
    },
    /** As the sweep asks: only if it is due. */
    refreshIfDue: (id: string) => engine.refreshAccount(id, { type: 'scheduled' }),
    pass: (ms: number) => {
      wallClock += ms
    },
    passTo: (at: number) => {
      wallClock = Math.max(wallClock, at)
    },
    outcomes: async (accountId: string) =>
      (await store.log.list({ accountId, limit: 100 })).map(({ outcome }) => outcome).toSorted(),
    /** Writes of this name, in order. */
    writes: (accountId: string, name: string) =>
      seen.filter(({ write }) => write.accountId === accountId && write.name === name),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function recording(store: Store, seen: SeenWrite[]): Store {
  return {
    ...store,
    accounts: {
      ...store.accounts,
      async write(write) {
        const done = await store.accounts.write(write)
        seen.push({ write, done })
        return done
      },
    },
  }
}
