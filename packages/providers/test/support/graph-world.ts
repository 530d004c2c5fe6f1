import { type Clock, systemClock } from '@tokenkeeper/core'
import {
  type Control,
  clickThrough,
  type Family,
  type GraphEmulator,
  startGraphEmulator,
} from '@tokenkeeper/graph-emulator'
import {
  connectInstagram,
  connectMeta,
  connectThreads,
  createHttp,
  createInstagramProvider,
  createMetaProvider,
  createThreadsProvider,
  type FreshLogin,
  type GraphApp,
  type Http,
  type InstagramOptions,
  instagramLoginUrl,
  type MetaOptions,
  metaLoginUrl,
  type ProviderAccount,
  type ThreadsOptions,
  threadsLoginUrl,
} from '../../src/index.ts'

/** The clock of a world stands still until it is moved: what the calendar says elsewhere changes no test. */
const START = Date.UTC(2026, 10, 22, 12)
export const REDIRECT = 'https://keeper.example/callback'

export interface GraphWorld extends AsyncDisposable {
  readonly emulator: GraphEmulator
  readonly control: Control
  readonly clock: Clock
  readonly http: Http
  readonly app: GraphApp
  readonly user: { readonly id: string; readonly email: string; readonly password: string }
}

/** An emulator of its own, with one app and one user of a host family. */
export async function startWorld(family: Family): Promise<GraphWorld> {
  await using stack = new AsyncDisposableStack()
  const emulator = stack.use(await startGraphEmulator({ clock: { ...systemClock, now: () => START } }))
  const http = stack.use(createHttp({ allowedPrivateHosts: ['127.0.0.1', 'localhost'] }))
  const { control, clock } = emulator
  const app = control.createApp({ family, redirectUris: [REDIRECT], requireProof: family === 'facebook' })
  const user = control.createUser({ family, name: 'A User' })
  const rest = stack.move()
  return { emulator, control, clock, http, app, user, [Symbol.asyncDispose]: () => rest.disposeAsync() }
}

/** Follows a login to its end, as the user's browser does; gives the code. */
export async function logIn(loginUrl: string, { email, password }: GraphWorld['user'], decline: string[] = []) {
  const back = new URL(await clickThrough(loginUrl, { email, password, decline }))
  return { code: back.searchParams.get('code') ?? '', state: back.searchParams.get('state') }
}

export async function metaWorld() {
  const world = await startWorld('facebook')
  const { http, clock, app, emulator, user } = world
  const url = emulator.urls.facebook
  const options: MetaOptions = { http, clock, app, graphUrl: url, graphVersion: 'v26.0', dialogUrl: url }
  return {
    ...world,
    options,
    provider: createMetaProvider(options),
    async connect(decline: string[] = []): Promise<FreshLogin> {
      const { code } = await logIn(metaLoginUrl(options, { redirectUri: REDIRECT, state: 's' }), user, decline)
      return connectMeta(options, { code, redirectUri: REDIRECT })
    },
  }
}

export async function instagramWorld() {
  const world = await startWorld('instagram')
  const { http, clock, app, emulator, user } = world
  const url = emulator.urls.instagram
  const options: InstagramOptions = { http, clock, app, graphUrl: url, apiUrl: url, dialogUrl: url }
  const getCode = async () =>
    (await logIn(instagramLoginUrl(options, { redirectUri: REDIRECT, state: 's' }), user)).code
  return {
    ...world,
    options,
    at: (graphUrl: string) => createInstagramProvider({ ...options, graphUrl }),
    getCode,
    exchange: (code: string, app = options.app) =>
      connectInstagram({ ...options, app }, { code, redirectUri: REDIRECT }),
  }
}

export async function threadsWorld() {
  const world = await startWorld('threads')
  const { http, clock, app, emulator, user } = world
  const url = emulator.urls.threads
  const options: ThreadsOptions = { http, clock, app, graphUrl: url, dialogUrl: url }
  const getCode = async () => (await logIn(threadsLoginUrl(options, { redirectUri: REDIRECT, state: 's' }), user)).code
  return {
    ...world,
    options,
    at: (graphUrl: string) => createThreadsProvider({ ...options, graphUrl }),
    getCode,
    exchange: (code: string, app = options.app) => connectThreads({ ...options, app }, { code, redirectUri: REDIRECT }),
  }
}

export function accountOf(login: FreshLogin): ProviderAccount {
  const { platform, providerAppId, externalId, serviceUrl, issuer, diesAt } = login
  return { id: '0123456789abcdef01234567', platform, providerAppId, externalId, serviceUrl, issuer, diesAt }
}
