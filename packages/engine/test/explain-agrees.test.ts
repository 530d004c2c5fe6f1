import { type Account, type AccountStatus, type Attempt, HOUR, hasCode, MINUTE, SECOND } from '@tokenkeeper/core'
import { buildAttempt, buildHalt } from '@tokenkeeper/store/build-account'
import { describe, expect, test } from 'vitest'
import { explainAccount } from '../src/index.ts'
import { createExtendWorld, type ExtendWorld } from './support/extend-world.ts'

const STATUSES: readonly AccountStatus[] = ['active', 'paused', 'needs_action', 'needs_reconnect', 'quarantined']
const SWEPT: readonly AccountStatus[] = ['active', 'needs_action', 'quarantined']

/** What stands, by the time at which the account is looked at. */
const STANDING: readonly [string, (now: number) => Attempt | null][] = [
  ['nothing', () => null],
  ['an attempt at work', (now) => buildAttempt({ leaseUntil: now + 12 * SECOND })],
  ['an attempt whose worker is gone', (now) => buildAttempt({ leaseUntil: now - SECOND })],
  ['a lease of a wrong clock', (now) => buildAttempt({ leaseUntil: now + 3 * HOUR })],
  ['a released attempt', (now) => buildAttempt({ state: 'released', unknownSince: now, notBefore: now + MINUTE })],
  ['a held attempt', (now) => buildAttempt({ state: 'held', unknownSince: now, notBefore: now + HOUR })],
]

const CASES = STATUSES.flatMap((status) =>
  STANDING.flatMap(([what, attempt]) =>
    [-HOUR, 2 * MINUTE].map((dueIn) => [status, what, dueIn < 0 ? 'due' : 'not due yet', attempt, dueIn] as const),
  ),
)

describe('an explanation tells what recovery, sweep and engine then do', () => {
  test.each(CASES)('%s, with %s, %s', async (status, _what, _due, attempt, dueIn) => {
    await using world = await createExtendWorld()
    const { id } = await world.connect()
    const now = world.clock.now()
    await put(world, id, status, { attempt: attempt(now), nextRefreshAt: now + dueIn })
    await follow(world, id)
  })

  test('while the platform is halted, and when the halt is over', async () => {
    await using world = await createExtendWorld()
    const account = await world.connect()
    const now = world.clock.now()
    const { platform, providerAppId } = account
    await world.store.halts.insert(buildHalt({ platform, providerAppId, since: now, probeAt: now + 5 * MINUTE }))
    await put(world, account.id, 'active', { attempt: null, nextRefreshAt: now })
    expect(await explained(world, account.id)).toMatchObject({ why: { code: 'HALTED' }, nextAt: now + 5 * MINUTE })
    await follow(world, account.id)
  })
})

test('an unknown account has no explanation', async () => {
  await using world = await createExtendWorld()
  const error = await explained(world, '0'.repeat(24)).catch((error: unknown) => error)
  expect(hasCode(error, 'ACCOUNT_NOT_FOUND')).toBe(true)
})

/** Looks now and, if nothing is due yet, again right before and at the time that is named. */
async function follow(world: ExtendWorld, id: string): Promise<void> {
  const { isDue, nextAt } = await explained(world, id)
  expect(await isRefreshed(world, id)).toBe(isDue)
  if (isDue || nextAt === null) return
  world.passTo(nextAt - 1)
  expect(await isRefreshed(world, id)).toBe(false)
  world.passTo((await explained(world, id)).nextAt!)
  expect(await explained(world, id)).toMatchObject({ isDue: true })
  expect(await isRefreshed(world, id)).toBe(true)
}

function explained({ store, clock }: ExtendWorld, id: string) {
  return explainAccount({ store, clock, platforms: ['meta'] }, id)
}

/** What the recovery and the sweep find is refreshed as their jobs ask for it. */
async function isRefreshed({ store, clock, engine }: ExtendWorld, id: string): Promise<boolean> {
  const now = clock.now()
  const query = { platform: 'meta', statusIn: SWEPT, before: now, after: null, limit: 9 } as const
  const found = [...(await store.accounts.stale({ now, limit: 9 })), ...(await store.accounts.due(query))]
  if (!found.some((account) => account.id === id)) return false
  return (await engine.refreshAccount(id, { type: 'scheduled' })).kind === 'refreshed'
}

async function put(
  { store }: ExtendWorld,
  accountId: string,
  status: AccountStatus,
  set: Pick<Account, 'attempt' | 'nextRefreshAt'>,
): Promise<void> {
  const change = { set, status: { active: status } }
  expect(await store.accounts.write({ name: 'put', accountId, when: {}, change })).toBe(true)
}
