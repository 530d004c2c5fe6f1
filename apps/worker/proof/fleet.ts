import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '@tokenkeeper/config'
import { type AppContext, createContext } from '@tokenkeeper/context'
import { DAY } from '@tokenkeeper/core'
import { startScheduler } from '@tokenkeeper/queue'
import { buildAccount } from '@tokenkeeper/store/build-account'
import {
  INSTANT_ISSUER,
  instantSession,
  type NodeProcess,
  spawnNode,
  startInstantHost,
  startRedis,
  tempDir,
} from '@tokenkeeper/testkit'

const WORKER = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const API = fileURLToPath(new URL('../../api/src/main.ts', import.meta.url))

/** Accounts at a host that answers at once, an own Redis, a scheduler, and as many real workers as are spawned. */
export async function createFleet(accounts: number, databaseUrl?: string) {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const redis = stack.use(await startRedis())
  const host = stack.use(await startInstantHost())
  const adminKey = randomBytes(24).toString('hex')
  const env = {
    DATA_DIR: dir.path,
    DATABASE_URL: databaseUrl ?? `sqlite:${join(dir.path, 'tokenkeeper.db')}`,
    TOKEN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    REDIS_URL: redis.url,
    ALLOWED_PRIVATE_HOSTS: 'localhost',
    LOG_LEVEL: 'error',
  }
  const context = stack.use(await createContext(loadConfig(env)))
  await insertAccounts(context, accounts, host.url)
  const deps = await context.connectRedis()
  stack.use(await startScheduler(deps))
  const workers: NodeProcess[] = []
  stack.defer(async () => {
    await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()))
  })
  return {
    context,
    deps,
    redisUrl: redis.url,
    workers,
    adminKey,
    spawnApi() {
      const API_PORT = '0'
      return stack.use(spawnNode(API, { env: { ...env, ADMIN_API_KEY: adminKey, API_PORT, LOG_LEVEL: 'info' } }))
    },
    spawn() {
      const worker = spawnNode(WORKER, { env: { ...env, LOG_LEVEL: 'info' } })
      workers.push(worker)
      return worker
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Accounts of the instant host, sealed as the product seals them. */
async function insertAccounts({ store, sealer }: AppContext, count: number, serviceUrl: string): Promise<void> {
  const PAGE = 1_000
  for (let from = 0; from < count; from += PAGE) {
    const page = Array.from({ length: Math.min(PAGE, count - from) }, (_, i) => {
      const account = buildAccount({
        externalId: `did:plc:account${from + i}`,
        serviceUrl,
        issuer: INSTANT_ISSUER,
      })
      const { accessJwt, refreshJwt } = instantSession(account.externalId, 1)
      const credential = JSON.stringify({ accessToken: accessJwt, refreshToken: refreshJwt })
      const { sealed, keyId } = sealer.seal(credential, account.id, 'credential')
      return { ...account, sealedCredential: sealed, keyId, nextRefreshAt: Date.now() + 30 * DAY }
    })
    await Promise.all(page.map((account) => store.accounts.insert(account)))
  }
}
