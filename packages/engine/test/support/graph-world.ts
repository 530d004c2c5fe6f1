import type { Account } from '@tokenkeeper/core'
import { clickThrough, startGraphEmulator } from '@tokenkeeper/graph-emulator'
import {
  connectInstagram,
  connectMeta,
  connectThreads,
  createHttp,
  type FreshLogin,
  instagramLoginUrl,
  metaLoginUrl,
  threadsLoginUrl,
} from '@tokenkeeper/providers'
import { type MongoServer, startFaultProxy } from '@tokenkeeper/testkit'
import { type ActorOptions, openActor, type Scene } from './actor.ts'
import { graphOptions } from './graph-providers.ts'
import { sceneTools } from './scene-tools.ts'
import { openStorage } from './storage.ts'

const REDIRECT = 'https://keeper.example/callback'

export type GraphPlatform = 'meta' | 'instagram' | 'threads'
export type GraphWorld = Awaited<ReturnType<typeof createGraphWorld>>

/** A user at the emulator, who can log in. */
export interface GraphUser {
  readonly id: string
  readonly email: string
  readonly password: string
}

/**
 * The Graph emulator with an app at each of Meta's hosts, facebook behind a fault proxy; a database, a spool and a clock
 * that all share. The database is SQLite, or in MongoDB where a server is given.
 */
export async function createGraphWorld({
  mongo,
  log,
}: { readonly mongo?: MongoServer } & Pick<ActorOptions, 'log'> = {}) {
  const stack = new AsyncDisposableStack()
  const storage = stack.use(await openStorage(mongo))
  const { clockFile } = storage
  const { clock } = clockFile
  const emulator = stack.use(await startGraphEmulator({ clock }))
  const { control, urls } = emulator
  const proxy = stack.use(await startFaultProxy({ target: urls.facebook }))
  const appOf = (family: 'facebook' | 'instagram' | 'threads') => {
    const { id, secret } = control.createApp({ family, redirectUris: [REDIRECT], requireProof: family === 'facebook' })
    return { id, secret }
  }
  const graph = {
    meta: { url: proxy.url, app: appOf('facebook') },
    instagram: { url: urls.instagram, app: appOf('instagram') },
    threads: { url: urls.threads, app: appOf('threads') },
  }
  const scene: Scene = {
    ...storage.scene,
    plcUrl: 'http://127.0.0.1:1',
    graph,
  }
  const actor = stack.use(await openActor(scene, log ? { log } : {}))
  const witness = storage.openWitness(actor.store.ping)
  const http = stack.use(createHttp({ allowedPrivateHosts: scene.hosts }))
  const options = graphOptions(graph, { http, clock })

  /** A user with so many Pages. */
  function createUser(pages = 0): GraphUser & { readonly pageIds: readonly string[] } {
    const user = control.createUser({ family: 'facebook', name: 'A User' })
    const pageIds = Array.from({ length: pages }, (_, i) => {
      const page = control.createPage({ name: `Page ${i}` })
      control.setRole({ userId: user.id, pageId: page.id })
      return page.id
    })
    return { ...user, pageIds }
  }

  /** What the user's browser and our callback do. */
  async function logIn(platform: GraphPlatform, user: GraphUser): Promise<FreshLogin> {
    const request = { redirectUri: REDIRECT, state: 's' }
    const codeFrom = async (url: string) => {
      // The dialog is at the emulator itself: the proxy rewrites no redirects.
      const back = await clickThrough(url.replace(proxy.url, urls.facebook), user)
      return { code: new URL(back).searchParams.get('code') ?? '', redirectUri: REDIRECT }
    }
    if (platform === 'meta') return connectMeta(options.meta, await codeFrom(metaLoginUrl(options.meta, request)))
    if (platform === 'instagram') {
      return connectInstagram(options.instagram, await codeFrom(instagramLoginUrl(options.instagram, request)))
    }
    return connectThreads(options.threads, await codeFrom(threadsLoginUrl(options.threads, request)))
  }

  /** A new user, connected. */
  async function connect(platform: GraphPlatform = 'meta', pages = 0) {
    const user =
      platform === 'meta' ? createUser(pages) : { ...control.createUser({ family: platform }), pageIds: [] as string[] }
    const login = await logIn(platform, user)
    const account = await actor.engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
    return { account, user }
  }

  const tools = sceneTools(scene, actor, storage)

  return {
    emulator,
    control,
    proxy,
    scene,
    clockFile,
    witness,
    ...actor,
    ...tools,
    options,
    createUser,
    logIn,
    connect,
    /** Whether the provider accepts the account's stored token. */
    async works(account: Account): Promise<boolean> {
      const { valid, userId } = control.inspectToken({ token: tools.open(account).accessToken })
      return valid && userId === account.externalId
    },
    /** Requests that exchanged a token of a Facebook user, or a code. */
    presentations: () => proxy.requestsTo('/v26.0/oauth/access_token'),
    /** Moves everybody's clock (ms). */
    pass: (ms: number) => clockFile.advance(ms),
    passTo: (at: number) => clockFile.advance(Math.max(0, at - clock.now())),
    /** As the sweep asks: only if it is due. */
    refreshIfDue: (id: string) => actor.engine.refreshAccount(id, { type: 'scheduled' }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
