import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { type Config, loadConfig } from '@tokenkeeper/config'
import { type AppContext, createContext } from '@tokenkeeper/context'
import { type Account, type ApiRole, type Clock, hashApiKey, makeApiKey, makeId } from '@tokenkeeper/core'
import { buildAccount } from '@tokenkeeper/store/build-account'
import { createLoggers } from '@tokenkeeper/telemetry'
import { tempDir } from '@tokenkeeper/testkit'
import { startApi } from '../src/start.ts'

export const ADMIN_KEY = `admin-key-${randomBytes(16).toString('hex')}`

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Of a JSON answer. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API says; the tests compare it
  readonly body: any
}

export interface WorldOptions {
  readonly redisUrl: string
  readonly clock?: Clock
  readonly env?: Readonly<Record<string, string>>
}

export type World = Awaited<ReturnType<typeof createWorld>>

/** The API, listening, on a database of its own; its queues have a prefix of their own. */
export async function createWorld({ redisUrl, clock, env }: WorldOptions) {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const lines: string[] = []
  const loggers = createLoggers({ level: 'debug', format: 'json', destination: { write: (line) => lines.push(line) } })
  const config = loadConfig({
    DATA_DIR: dir.path,
    TOKEN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    REDIS_URL: redisUrl,
    QUEUE_PREFIX: `{test-${makeId()}}`,
    ADMIN_API_KEY: ADMIN_KEY,
    API_PORT: '0',
    // Tests may come from any address that they name.
    TRUSTED_PROXIES: 'loopback',
    ...env,
  })
  const start = async (changed: Partial<Config> = {}) => {
    const context = stack.use(await createContext({ ...config, ...changed }, { loggers, ...(clock && { clock }) }))
    const api = stack.use(await startApi(context))
    return { context, url: api.url, end: () => api[Symbol.asyncDispose]() }
  }
  const { context, url } = await start()
  const { store } = context

  async function makeKey(role: ApiRole, name = `a ${role}`): Promise<{ readonly id: string; readonly key: string }> {
    const id = makeId()
    const key = makeApiKey(id)
    const times = { createdAt: Date.now(), createdBy: 'test', revokedAt: null }
    await store.apiKeys.insert({ id, name, role, hash: hashApiKey(key), ...times })
    return { id, key }
  }

  async function addAccount(overrides: Partial<Account> = {}): Promise<Account> {
    const account = buildAccount({ nextRefreshAt: Date.now() + 86_400_000, ...overrides })
    await store.accounts.insert(account)
    return account
  }

  return {
    context,
    store,
    url,
    config,
    lines,
    makeKey,
    addAccount,
    /** A further process of the API, on the same data. */
    startAnother: start,
    connectRedis: (): ReturnType<AppContext['connectRedis']> => context.connectRedis(),
    call: (method: string, path: string, options: CallOptions = {}) => call(url, method, path, options),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** A connection of its own to the database, by which a test gets in the way of the API. */
export function openDatabase({ config }: Pick<World, 'config'>): DatabaseSync {
  return new DatabaseSync(config.store.url.reveal().replace(/^sqlite:/, ''))
}

/** Makes the store refuse every entry of the audit. */
export const REFUSE_AUDIT = `CREATE TRIGGER refuse_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END`

export interface CallOptions {
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  /** JSON, unless it is a text. */
  readonly body?: unknown
}

/** Follows no redirects. */
export async function call(url: string, method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const { key, headers, body } = options
  const response = await fetch(new URL(path, url), {
    method,
    redirect: 'manual',
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined }
}

/** How long it takes (ms), with its result. */
export async function timed<T>(work: () => Promise<T>): Promise<{ readonly took: number; readonly result: T }> {
  const began = performance.now()
  const result = await work()
  return { took: performance.now() - began, result }
}
