import { DAY, systemClock } from '@tokenkeeper/core'
import { type Pds, startPds } from '@tokenkeeper/testkit'
import { afterAll, beforeAll } from 'vitest'
import { connectBluesky, createBlueskyProvider, createHttp, createMetaProvider } from '../src/index.ts'
import { providerConformance } from './conformance/conformance.ts'
import { extendConformance } from './conformance/extend.ts'
import type { OpenProvider, ProviderFixture } from './conformance/fixture.ts'
import { accountOf, type GraphWorld, instagramWorld, metaWorld, threadsWorld } from './support/graph-world.ts'

const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())

/** One for all tests: it is slow to start, and each test has an account of its own. */
let pds: Pds
beforeAll(async () => {
  pds = stack.use(await startPds())
})

providerConformance('Bluesky', async () => {
  const http = createHttp({ allowedPrivateHosts: ['localhost', '127.0.0.1'], timeoutMs: 20_000 })
  const options = { http, clock: systemClock, plcUrl: pds.plcUrl }
  const provider = createBlueskyProvider(options)
  const passwords = new Map<string, Awaited<ReturnType<typeof pds.createAccounts>>[number]>()
  return {
    url: pds.url,
    at: (url) => ({ provider, account: (login) => ({ ...accountOf(login), serviceUrl: url }) }),
    async connect() {
      const [account] = await pds.createAccounts(1)
      passwords.set(account!.did, account!)
      return connectBluesky(options, { identifier: account!.did, appPassword: await pds.createAppPassword(account!) })
    },
    accepts: async ({ accessToken }) => (await pds.getSession(accessToken)).status === 200,
    revoke: async ({ externalId }) => void (await pds.changePassword(passwords.get(externalId)!)),
    secrets: [],
    refusal: (token) => ({ error: 'InvalidToken', message: `Token could not be verified: ${token}` }),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  }
})

const GRAPH_PROVIDERS: Readonly<Record<string, OpenProvider>> = {
  async Meta() {
    const world = await metaWorld()
    return {
      ...graphFixture(world),
      url: world.options.graphUrl,
      at: (graphUrl) => ({ provider: createMetaProvider({ ...world.options, graphUrl }), account: accountOf }),
      connect: () => aged(world, () => world.connect()),
    }
  },
  async Instagram() {
    const world = await instagramWorld()
    return {
      ...graphFixture(world),
      url: world.options.graphUrl,
      at: (graphUrl) => ({ provider: world.at(graphUrl), account: accountOf }),
      connect: () => aged(world, async () => world.exchange(await world.getCode())),
    }
  },
  async Threads() {
    const world = await threadsWorld()
    return {
      ...graphFixture(world),
      url: world.options.graphUrl,
      at: (graphUrl) => ({ provider: world.at(graphUrl), account: accountOf }),
      connect: () => aged(world, async () => world.exchange(await world.getCode())),
    }
  },
}

for (const [name, open] of Object.entries(GRAPH_PROVIDERS)) {
  providerConformance(name, open)
  extendConformance(name, open)
}

function graphFixture({ control, app, user, ...world }: GraphWorld) {
  return {
    accepts: async ({ accessToken }) => control.inspectToken({ token: accessToken }).valid,
    revoke: async () => void (await control.removeApp({ appId: app.id, userId: user.id })),
    secrets: [app.secret],
    refusal: (token) => ({ error: { code: 190, type: 'OAuthException', message: `Malformed access token ${token}` } }),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  } satisfies Partial<ProviderFixture>
}

/** Instagram and Threads refresh no token of the same day. */
async function aged<T>({ control }: GraphWorld, connect: () => Promise<T>): Promise<T> {
  const login = await connect()
  control.advanceClock({ ms: 10 * DAY })
  return login
}
