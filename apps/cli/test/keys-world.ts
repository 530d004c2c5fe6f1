import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { loadConfig } from '@tokenkeeper/config'
import { type AppContext, createContext } from '@tokenkeeper/context'
import { type Account, DAY, makeId } from '@tokenkeeper/core'
import { createSealer, parseKeyRing, type Sealer } from '@tokenkeeper/store'
import { buildAccount } from '@tokenkeeper/store/build-account'
import { INSTANT_ISSUER, instantSession, type MongoServer, tempDir } from '@tokenkeeper/testkit'
import { type Ran, runCli } from './cli.ts'

export const newKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`
export const sealerOf = (keys: string) => createSealer(parseKeyRing(keys))

interface Options {
  readonly mongo?: MongoServer
  readonly env?: Readonly<Record<string, string>>
}

export type KeysWorld = Awaited<ReturnType<typeof createKeysWorld>>

/** An installation of its own without any process, whose keys are given anew at each call. */
export async function createKeysWorld({ mongo, env: extra = {} }: Options = {}) {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const env = {
    DATA_DIR: join(dir.path, 'data'),
    REDIS_URL: 'redis://127.0.0.1:1',
    ALLOWED_PRIVATE_HOSTS: 'localhost',
    LOG_LEVEL: 'error',
    ...extra,
    ...(mongo && { DATABASE_URL: mongo.databaseUrl(`test-${makeId()}`) }),
  }
  return {
    dir: dir.path,
    dataDir: env.DATA_DIR,
    env,
    open: async (keys: string): Promise<AppContext> =>
      stack.use(await createContext(loadConfig({ ...env, TOKEN_ENCRYPTION_KEYS: keys }))),
    run: (keys: string, ...args: readonly string[]): Promise<Ran> =>
      runCli(args, { cwd: dir.path, env: { ...env, TOKEN_ENCRYPTION_KEYS: keys } }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** An account of an instant host, not due for a month, sealed by this sealer's key. */
export function buildSealed(sealer: Sealer, serviceUrl: string, overrides: Partial<Account> = {}): Account {
  const id = overrides.id ?? makeId()
  const externalId = `did:plc:${id}`
  const { accessJwt, refreshJwt } = instantSession(externalId, 1)
  const credential = JSON.stringify({ accessToken: accessJwt, refreshToken: refreshJwt })
  const { sealed, keyId } = sealer.seal(credential, id, 'credential')
  const times = { nextRefreshAt: Date.now() + 30 * DAY, diesAt: Date.now() + 90 * DAY }
  const made = { id, externalId, serviceUrl, issuer: INSTANT_ISSUER, ...times, ...overrides }
  return buildAccount({ ...made, sealedCredential: sealed, keyId })
}
