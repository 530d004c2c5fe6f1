import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '@tokenkeeper/config'
import { createContext } from '@tokenkeeper/context'
import {
  createClockFile,
  type NodeProcess,
  type PdsAccount,
  spawnNode,
  startFaultProxy,
  startPds,
  startRedis,
  tempDir,
} from '@tokenkeeper/testkit'

const WORKER_PROCESS = fileURLToPath(new URL('worker-process.ts', import.meta.url))

export type World = Awaited<ReturnType<typeof createWorld>>

/** A real PDS behind a fault proxy, an own Redis, a database and a clock that all processes share. */
export async function createWorld() {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const clockFile = stack.use(createClockFile(join(dir.path, 'clock')))
  const pds = stack.use(await startPds({ clockFile: clockFile.path }))
  const proxy = stack.use(await startFaultProxy({ target: pds.url }))
  const redis = stack.use(await startRedis())
  const env = {
    DATA_DIR: join(dir.path, 'data'),
    TOKEN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    REDIS_URL: redis.url,
    PLC_URL: pds.plcUrl,
    ALLOWED_PRIVATE_HOSTS: 'localhost,127.0.0.1',
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'debug',
  }
  const context = stack.use(await createContext(loadConfig({ ...env, LOG_LEVEL: 'error' }), { clock: clockFile.clock }))
  const { store, engine, sealer } = context

  /** New accounts at the PDS, connected; returns their ids. Their home is the proxy, also by their DID documents. */
  async function connect(count: number) {
    const users = await pds.createAccounts(count)
    const login = async (user: PdsAccount) => {
      await pds.moveDid(user.did, proxy.url)
      return engine.connectAccount(loginOf(user), { ownerId: 'owner', actor: 'test' })
    }
    const accounts = await Promise.all(users.map(login))
    return accounts.map(({ id }) => id)
  }

  function loginOf(user: PdsAccount) {
    const { aud, exp } = claimsOf(user.refreshJwt)
    return {
      platform: 'bluesky' as const,
      providerAppId: '',
      externalId: user.did,
      displayName: user.handle,
      serviceUrl: proxy.url,
      issuer: aud,
      scopes: [],
      credential: { accessToken: user.accessJwt, refreshToken: user.refreshJwt },
      accessExpiresAt: claimsOf(user.accessJwt).exp * 1_000,
      diesAt: exp * 1_000,
    }
  }

  /** The tokens that the store holds for an account, opened. */
  async function tokensOf(id: string): Promise<{ accessToken: string; refreshToken: string }> {
    const account = await store.accounts.get(id)
    return JSON.parse(sealer.open(account!.sealedCredential, id, 'credential'))
  }

  async function isRefreshed(id: string): Promise<boolean> {
    return (await store.accounts.get(id))?.lastAttempt?.outcome === 'refreshed'
  }

  return {
    ...context,
    env,
    dir: dir.path,
    pds,
    proxy,
    redis,
    clockFile,
    connect,
    tokensOf,
    isRefreshed,
    allRefreshed: async (ids: readonly string[]) => (await Promise.all(ids.map(isRefreshed))).every(Boolean),
    /** Does the PDS take the access token that the store holds? */
    works: async (id: string) => (await pds.getSession((await tokensOf(id)).accessToken)).status === 200,
    presentations: () => proxy.requestsTo('com.atproto.server.refreshSession'),
    spawnWorker: (extra: Readonly<Record<string, string>> = {}): NodeProcess =>
      spawnNode(WORKER_PROCESS, { env: { ...env, CLOCK_FILE: clockFile.path, ...extra }, cwd: dir.path }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function claimsOf(jwt: string): { aud: string; exp: number } {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
}
