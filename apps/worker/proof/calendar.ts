import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { loadConfig } from '@tokenkeeper/config'
import { createContext } from '@tokenkeeper/context'
import { type Account, MINUTE, systemClock } from '@tokenkeeper/core'
import { clickThrough, type Family, startGraphEmulator } from '@tokenkeeper/graph-emulator'
import {
  connectInstagram,
  connectMeta,
  connectThreads,
  instagramLoginUrl,
  metaLoginUrl,
  threadsLoginUrl,
} from '@tokenkeeper/providers'
import { startWorkers, sweep } from '@tokenkeeper/queue'
import { createLoggers } from '@tokenkeeper/telemetry'
import { startRedis, tempDir, until } from '@tokenkeeper/testkit'

const REDIRECT = 'https://keeper.example/callback'
const FAMILY = { meta: 'facebook', instagram: 'instagram', threads: 'threads' } as const
type GraphPlatform = keyof typeof FAMILY

/**
 * Real workers on a real Redis, with the Graph emulator as the provider, by a calendar that is turned by hand. What the
 * calendar passes over happens as the sweep brings it, each time that it stands still.
 */
export async function createCalendar(users: Readonly<Record<GraphPlatform, number>>, pages: number) {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  let now = Date.UTC(2027, 0, 1, 12)
  const clock = { ...systemClock, now: () => now }
  const emulator = stack.use(await startGraphEmulator({ clock }))
  const { control, urls } = emulator
  const redis = stack.use(await startRedis())
  const lines: string[] = []
  const appOf = (family: Family) =>
    control.createApp({ family, redirectUris: [REDIRECT], requireProof: family === 'facebook' })
  const apps = { meta: appOf('facebook'), instagram: appOf('instagram'), threads: appOf('threads') }
  const config = loadConfig({
    DATA_DIR: dir.path,
    DATABASE_URL: `sqlite:${join(dir.path, 'tokenkeeper.db')}`,
    TOKEN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    REDIS_URL: redis.url,
    APP_ID: apps.meta.id,
    APP_SECRET: apps.meta.secret,
    META_GRAPH_URL: urls.facebook,
    META_DIALOG_URL: urls.facebook,
    INSTAGRAM_APP_ID: apps.instagram.id,
    INSTAGRAM_APP_SECRET: apps.instagram.secret,
    INSTAGRAM_GRAPH_URL: urls.instagram,
    INSTAGRAM_API_URL: urls.instagram,
    INSTAGRAM_DIALOG_URL: urls.instagram,
    THREADS_APP_ID: apps.threads.id,
    THREADS_APP_SECRET: apps.threads.secret,
    THREADS_GRAPH_URL: urls.threads,
    THREADS_DIALOG_URL: urls.threads,
  })
  const destination = { write: (line: string) => lines.push(line) }
  const loggers = createLoggers({ level: 'info', format: 'json', destination })
  const context = stack.use(await createContext(config, { clock, loggers }))
  const deps = await context.connectRedis()
  stack.use(await startWorkers(deps))

  for (let i = 0; i < pages; i++) control.createPage({ id: String(9_000 + i) })
  for (const [platform, count] of Object.entries(users) as [GraphPlatform, number][]) {
    for (let i = 0; i < count; i++) {
      const user = control.createUser({ family: FAMILY[platform] })
      // Each Page has one user.
      for (let page = i; platform === 'meta' && page < pages; page += count) {
        control.setRole({ userId: user.id, pageId: String(9_000 + page) })
      }
      const login = await logIn(platform, user)
      await context.engine.connectAccount(login, { ownerId: 'owner', actor: 'test' })
    }
  }

  async function logIn(platform: GraphPlatform, user: { readonly email: string; readonly password: string }) {
    const { meta, instagram, threads } = context.providerOptions
    const request = { redirectUri: REDIRECT, state: 's' }
    const codeFrom = async (url: string) => {
      const back = new URL(await clickThrough(url, user))
      return { code: back.searchParams.get('code') ?? '', redirectUri: REDIRECT }
    }
    if (platform === 'meta') return connectMeta(meta!, await codeFrom(metaLoginUrl(meta!, request)))
    if (platform === 'threads') return connectThreads(threads!, await codeFrom(threadsLoginUrl(threads!, request)))
    return connectInstagram(instagram!, await codeFrom(instagramLoginUrl(instagram!, request)))
  }

  const accounts = (): Promise<Account[]> => context.store.accounts.list({ afterId: null, limit: 1_000 })

  /** What the sweep finds, until nothing is left to do now. */
  async function settle(): Promise<void> {
    await until(
      async () => {
        await sweep(deps)
        const { refresh, refreshNow } = deps.queues
        const counts = await Promise.all(
          [refresh, refreshNow].map((queue) => queue.getJobCounts('waiting', 'prioritized', 'active')),
        )
        const isIdle = counts.every((count) => Object.values(count).every((jobs) => jobs === 0))
        const isOpen = ({ status, nextRefreshAt, pagesDueAt, attempt }: Account) =>
          attempt !== null ||
          (status === 'active' && (nextRefreshAt <= now || (pagesDueAt !== null && pagesDueAt <= now)))
        return isIdle && !(await accounts()).some(isOpen)
      },
      { what: 'the day to end', everyMs: 5 },
    )
  }

  await settle()
  return {
    context,
    control,
    accounts,
    log: () => lines,
    async pass(ms: number) {
      now += ms
      await settle()
      // Who refreshed has a moment to fetch the Pages, before the sweep does.
      now += 3 * MINUTE
      await settle()
    },
    /** What moves the end of data access. */
    async everyoneUsesTheApp() {
      for (const { platform, providerAppId: appId, externalId: userId } of await accounts()) {
        if (platform === 'meta') control.engage({ appId, userId })
      }
    },
    async workingPages(): Promise<number> {
      let working = 0
      for (const { id } of await accounts()) {
        for (const page of await context.store.pages.ofAccount(id, { afterId: null, limit: 1_000 })) {
          if (page.sealedToken === null) continue
          const token = context.sealer.open(page.sealedToken, page.id, 'page_token')
          if (control.inspectToken({ token }).valid) working++
        }
      }
      return working
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
