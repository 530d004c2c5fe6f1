import type { Account } from '@tokenkeeper/core'
import type { FreshLogin } from '@tokenkeeper/providers'
import { createSecretSearch, type MongoServer, type PdsAccount, startFaultProxy, startPds } from '@tokenkeeper/testkit'
import { openActor, type Scene } from './actor.ts'
import { sceneTools } from './scene-tools.ts'
import { openStorage } from './storage.ts'

export type World = Awaited<ReturnType<typeof createWorld>>

/**
 * A real PDS behind a fault proxy, a database, a spool and a clock that all share; and a witness that sees every write.
 * The database is SQLite, or in MongoDB behind a proxy of its own where a server is given.
 */
export async function createWorld({ mongo }: { readonly mongo?: MongoServer } = {}) {
  const stack = new AsyncDisposableStack()
  const storage = stack.use(await openStorage(mongo))
  const { clockFile } = storage
  const pds = stack.use(await startPds({ clockFile: clockFile.path }))
  const proxy = stack.use(await startFaultProxy({ target: pds.url }))
  const scene: Scene = { ...storage.scene, plcUrl: pds.plcUrl }
  const actor = stack.use(await openActor(scene))
  const witness = storage.openWitness(actor.store.ping)

  /** A new account at the PDS, connected; its home is the proxy, also by its DID document. */
  async function connect(options: { appPassword?: string } = {}): Promise<{ account: Account; user: PdsAccount }> {
    const [user] = await pds.createAccounts(1)
    await pds.moveDid(user!.did, proxy.url)
    const account = await actor.engine.connectAccount(loginOf(user!), { ownerId: 'owner', actor: 'test', ...options })
    return { account, user: user! }
  }

  function loginOf(user: PdsAccount, session: { accessJwt: string; refreshJwt: string } = user): FreshLogin {
    const claims = claimsOf(session.refreshJwt)
    return {
      platform: 'bluesky',
      providerAppId: '',
      externalId: user.did,
      displayName: user.handle,
      serviceUrl: proxy.url,
      issuer: claims.aud,
      scopes: [],
      credential: { accessToken: session.accessJwt, refreshToken: session.refreshJwt },
      accessExpiresAt: claimsOf(session.accessJwt).exp * 1000,
      diesAt: claims.exp * 1000,
    }
  }

  async function newLogin(user: PdsAccount): Promise<FreshLogin> {
    return loginOf(user, (await pds.createSession(user.did, user.password)).body)
  }

  const tools = sceneTools(scene, actor, storage)

  return {
    pds,
    proxy,
    scene,
    clockFile,
    witness,
    ...actor,
    ...tools,
    connect,
    loginOf,
    newLogin,
    async works(account: Account): Promise<boolean> {
      const session = await pds.getSession(tools.open(account).accessToken)
      return session.body.did === account.externalId
    },
    secrets: (secrets: string[]) => createSecretSearch(secrets),
    /** Presentations of a refresh token at the PDS. */
    presentations: () => proxy.requestsTo('com.atproto.server.refreshSession'),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

export function claimsOf(jwt: string): { aud: string; exp: number; jti: string } {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
}
