import { DAY, HOUR, MINUTE, SECOND } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { createGraphWorld, type GraphWorld } from '../test/support/graph-world.ts'

const ACCOUNTS = 500
/** Some rounds of the sweep at once. */
const STEP_MS = 5 * MINUTE
const AT_ONCE = 50

/** Accounts of Meta that fall due one by one within the day that begins now. */
async function connectAll(world: GraphWorld): Promise<string[]> {
  const { control, engine, clock } = world
  const appId = world.scene.graph!.meta.app.id
  const ids: string[] = []
  for (let i = 0; i < ACCOUNTS; i++) {
    const { id: userId } = control.createUser({ family: 'facebook', name: `User ${i}` })
    control.grant({ appId, userId })
    // They fall due a week before the end, or some hours sooner.
    const lifetime = 7 * DAY + 2 * HOUR + (i / ACCOUNTS) * 21 * HOUR
    const expiresIn = Math.floor(lifetime / SECOND)
    const { accessToken, expiresAt } = control.issueToken({ appId, userId, expiresIn })
    const { id } = await engine.connectAccount(
      {
        platform: 'meta',
        providerAppId: appId,
        externalId: userId,
        displayName: `User ${i}`,
        serviceUrl: null,
        issuer: null,
        scopes: [],
        credential: { accessToken, refreshToken: '' },
        accessExpiresAt: expiresAt,
        diesAt: expiresAt,
        dataAccessExpiresAt: clock.now() + 90 * DAY,
      },
      { ownerId: 'owner', actor: 'test' },
    )
    ids.push(id)
  }
  return ids
}

/** What the sweep and the recovery of a fleet do in that time. */
async function live(world: GraphWorld, ms: number): Promise<void> {
  const { store, engine, clock } = world
  const end = clock.now() + ms
  while (clock.now() < end) {
    await engine.probeHalts()
    const query = { platform: 'meta', statusIn: ['active', 'needs_action'], after: null, limit: ACCOUNTS } as const
    const due = await store.accounts.due({ ...query, before: clock.now() })
    await eachOf(due, ({ id }) => world.refreshIfDue(id))
    const pages = await store.accounts.pagesDue({ ...query, platforms: ['meta'], at: clock.now() })
    await eachOf(pages, ({ id }) => engine.fetchPages(id))
    world.pass(Math.min(STEP_MS, Math.max(0, end - clock.now())))
  }
}

async function eachOf<T>(items: readonly T[], action: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values()
  const lane = async () => {
    for (const item of rest) await action(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

interface Cause {
  readonly code: string
  breakIt(world: GraphWorld, appId: string): void
  mendIt(world: GraphWorld, appId: string): void
  /** How far apart requests are while it lasts. */
  readonly apartMs: number
}

const CAUSES: Readonly<Record<string, Cause>> = {
  'the secret is reset': {
    code: 'META_APP_SECRET_WRONG',
    breakIt: ({ control }, appId) => control.resetSecret({ appId }),
    mendIt: ({ control, scene }, appId) => control.resetSecret({ appId, secret: scene.graph!.meta.app.secret }),
    apartMs: 15 * MINUTE,
  },
  'the app is disabled': {
    code: 'META_APP_INVALID',
    breakIt: ({ control }, appId) => control.setAppStanding({ appId, standing: 'disabled' }),
    mendIt: ({ control }, appId) => control.setAppStanding({ appId, standing: 'live' }),
    apartMs: 15 * MINUTE,
  },
  'the budget of the app is spent': {
    code: 'PROVIDER_RATE_LIMITED',
    breakIt: ({ control }, appId) => control.setBudget({ appId, app: 0 }),
    mendIt: ({ control }, appId) => control.setBudget({ appId, app: 10_000 }),
    apartMs: HOUR,
  },
}

describe.each(Object.entries(CAUSES))(`${ACCOUNTS} accounts fall due on a day on which %s`, (_, cause) => {
  test('none changes status, the platform is left alone, and all are refreshed afterwards', async () => {
    await using world = await createGraphWorld()
    const { control, store } = world
    const appId = world.scene.graph!.meta.app.id
    const ids = await connectAll(world)
    const overview = async () => {
      const counts: Record<string, number> = {}
      for (const { status, statusReason, generation } of await store.accounts.getMany(ids)) {
        const key = [status, statusReason, generation].filter(Boolean).join(' ')
        counts[key] = (counts[key] ?? 0) + 1
      }
      return counts
    }

    cause.breakIt(world, appId)
    const before = control.requests({}).count
    await live(world, DAY)
    expect(await overview()).toEqual({ 'active 1': ACCOUNTS })
    expect(await store.halts.list()).toMatchObject([{ state: 'halted', code: cause.code }])
    const { requests } = control.requests({ after: before })
    const times = requests.map(({ at }) => at)
    // A wrong secret is met by listings first, as a wrong proof, which stops no refresh: the first of those finds out.
    const found = requests.find(({ path }) => path === '/oauth/access_token')!.at
    // Those that were under way, or about to be, when the first ones were refused; all later ones are probes.
    const together = times.filter((at) => at < found + MINUTE)
    expect(together.length).toBeLessThanOrEqual(2 * AT_ONCE)
    const probes = times.slice(together.length)
    expect(probes.length).toBeGreaterThan(DAY / cause.apartMs / 2)
    const apart = probes.map((at, i) => at - (probes[i - 1] ?? found))
    expect(Math.min(...apart)).toBeGreaterThanOrEqual(cause.apartMs)

    cause.mendIt(world, appId)
    await live(world, 2 * HOUR)
    expect(await overview()).toEqual({ 'active 2': ACCOUNTS })
    expect(await store.halts.list()).toEqual([])
    for (const account of await store.accounts.getMany(ids)) expect(await world.works(account)).toBe(true)
    const events = await store.events.list({ limit: 2 * ACCOUNTS })
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['account.connected']))
  })
})
