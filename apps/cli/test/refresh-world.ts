import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '@tokenkeeper/config'
import { createContext } from '@tokenkeeper/context'
import { makeId } from '@tokenkeeper/core'
import { startGraphEmulator } from '@tokenkeeper/graph-emulator'
import { connectMeta, type FreshLogin } from '@tokenkeeper/providers'
import {
  createSecretSearch,
  type Pds,
  type PdsAccount,
  spawnNode,
  startFaultProxy,
  tempDir,
} from '@tokenkeeper/testkit'
import { expect } from 'vitest'
import type { z } from 'zod'
import { lastLine, MAIN, type Ran, runCli } from './cli.ts'

const WORKER = fileURLToPath(new URL('../../worker/src/main.ts', import.meta.url))
const REDIRECT_URI = 'https://keeper.example/callback'
/** Where nothing listens. */
export const NO_REDIS = 'redis://127.0.0.1:1'

export type World = Awaited<ReturnType<typeof createWorld>>

interface WorldOptions {
  readonly redisUrl?: string
  readonly env?: Readonly<Record<string, string>>
}

/** An installation with a database and a queue prefix of its own; its hosts are a real PDS and the Graph emulator, each behind a proxy. */
export async function createWorld(pds: Pds, { redisUrl = NO_REDIS, env: extra = {} }: WorldOptions = {}) {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const host = stack.use(await startFaultProxy({ target: pds.url }))
  const emulator = stack.use(await startGraphEmulator())
  const graph = stack.use(await startFaultProxy({ target: emulator.urls.facebook }))
  const { control } = emulator
  const app = control.createApp({ redirectUris: [REDIRECT_URI], requireProof: true })
  const key = randomBytes(32).toString('base64')
  const env = {
    DATA_DIR: join(dir.path, 'data'),
    TOKEN_ENCRYPTION_KEYS: `k1:${key}`,
    REDIS_URL: redisUrl,
    QUEUE_PREFIX: `{test-${makeId()}}`,
    PLC_URL: pds.plcUrl,
    ALLOWED_PRIVATE_HOSTS: 'localhost,127.0.0.1',
    APP_ID: app.id,
    APP_SECRET: app.secret,
    META_GRAPH_URL: graph.url,
    META_DIALOG_URL: emulator.urls.facebook,
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'debug',
    ...extra,
  }
  const context = stack.use(await createContext(loadConfig({ ...env, LOG_LEVEL: 'error' })))
  const { store, engine, sealer } = context
  const secrets = new Set([key, app.secret])
  const said: string[] = []

  const connectAll = async (logins: readonly FreshLogin[]): Promise<string[]> => {
    const connect = async (login: FreshLogin) => {
      const { id } = await engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
      return id
    }
    return Promise.all(logins.map(connect))
  }

  /** New users of the PDS, connected; their home is the proxy, also by their DID documents. */
  async function connectBluesky(count: number) {
    const users = await pds.createAccounts(count)
    for (const { did } of users) await pds.moveDid(did, host.url)
    return { users, ids: await connectAll(users.map((user) => loginOf(user, host.url))) }
  }

  /** New users of the emulator with a Page each, connected. Their tokens are a minute old, so refreshing does not extend. */
  async function connectGraph(count: number): Promise<string[]> {
    const options = context.providerOptions.meta!
    const logins = Array.from({ length: count }, () => {
      const user = control.createUser()
      const page = control.createPage()
      control.setRole({ userId: user.id, pageId: page.id })
      control.grant({ appId: app.id, userId: user.id })
      const { code } = control.issueCode({ appId: app.id, userId: user.id, redirectUri: REDIRECT_URI })
      return connectMeta(options, { code, redirectUri: REDIRECT_URI })
    })
    return connectAll(await Promise.all(logins))
  }

  async function set(id: string, change: Parameters<typeof store.accounts.write>[0]['change']): Promise<void> {
    await store.accounts.write({ name: 'test', accountId: id, when: {}, change })
  }

  /** Remembers the tokens that stand now, as secrets that may show nowhere. */
  async function noteSecrets(): Promise<void> {
    for (const { id, sealedCredential } of await store.accounts.list({ afterId: null, limit: 1_000 })) {
      const tokens: object = JSON.parse(sealer.open(sealedCredential, id, 'credential'))
      // Meta has no refresh tokens.
      for (const token of Object.values(tokens)) if (token !== '') secrets.add(token)
    }
  }

  async function run(args: readonly string[], runEnv: Readonly<Record<string, string>> = {}): Promise<Ran> {
    await noteSecrets()
    const ran = await runCli(args, { cwd: dir.path, env: { ...env, ...runEnv } })
    said.push(ran.stdout, ran.stderr)
    return ran
  }

  const spawn = (entry: string, args: readonly string[]) => spawnNode(entry, { args, cwd: dir.path, env })

  return {
    ...context,
    env,
    dir: dir.path,
    pds,
    host,
    graph,
    control,
    connectBluesky,
    connectGraph,
    set,
    noteSecrets,
    run,
    /** All accounts fall due now. */
    async makeDue(ids: readonly string[]) {
      for (const id of ids) await set(id, { set: { nextRefreshAt: Date.now() } })
    },
    /** Runs it with `--json`, and reads what it says by the schema of the command. */
    async json<T>(schema: z.ZodType<T>, args: readonly string[], runEnv?: Readonly<Record<string, string>>) {
      const { code, stdout, stderr } = await run([...args, '--json'], runEnv)
      expect(stdout, stderr).toMatch(/^\{.*\}\n$/)
      return { code, result: schema.parse(JSON.parse(lastLine(stdout))) }
    },
    spawnCli: (args: readonly string[]) => spawn(MAIN, args),
    async startWorker() {
      const worker = stack.use(spawn(WORKER, []))
      await worker.waitForLine(/worker is ready/)
      return worker
    },
    generations: async (ids: readonly string[]) => {
      const accounts = new Map((await store.accounts.getMany(ids)).map((account) => [account.id, account.generation]))
      return ids.map((id) => accounts.get(id))
    },
    /** Does the PDS take the access token that the store holds? */
    async works(id: string) {
      const account = await store.accounts.get(id)
      const { accessToken } = JSON.parse(sealer.open(account!.sealedCredential, id, 'credential'))
      return (await pds.getSession(accessToken)).status === 200
    },
    refreshes: () => host.requestsTo('com.atproto.server.refreshSession'),
    /** Where a secret showed: in what was said, or in a file of the installation. */
    async leaks(more: readonly string[] = []) {
      await noteSecrets()
      const search = createSecretSearch([...secrets])
      return [...search.search([...said, ...more].join('\n'), 'output'), ...(await search.searchDir(dir.path))]
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function loginOf(user: PdsAccount, serviceUrl: string): FreshLogin {
  const { aud, exp } = claimsOf(user.refreshJwt)
  return {
    platform: 'bluesky',
    providerAppId: '',
    externalId: user.did,
    displayName: user.handle,
    serviceUrl,
    issuer: aud,
    scopes: [],
    credential: { accessToken: user.accessJwt, refreshToken: user.refreshJwt },
    accessExpiresAt: claimsOf(user.accessJwt).exp * 1_000,
    diesAt: exp * 1_000,
  }
}

function claimsOf(jwt: string): { aud: string; exp: number } {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
}
