import { setTimeout as delay } from 'node:timers/promises'
import { type Account, DAY, DEFAULT_DUE_POLICY } from '@tokenkeeper/core'
import { WEEK } from '../load.ts'
import { passTime, settle } from '../settle.ts'
import { allAccounts, leap } from '../world/leap.ts'
import { hasRevoked } from '../world/users.ts'
import type { World } from '../world/world.ts'

/** A whole one more than the due times are spread by, and a day for what fails at first. */
const LATE_MS = DEFAULT_DUE_POLICY.spreadMs + DAY
const LOOK_MS = 500
/** Longer than from one sweep to the next, with what it brings. */
const STUCK_MS = 180_000

/**
 * A week and the spread of due times pass in which nobody asks for a refresh: sweep and scheduler alone see to it that
 * every account is refreshed, and falls due again. Returns those that were not and why, by their ids; but for those
 * that need a new login, which is a verdict, and for those whose users ended their sessions.
 */
export async function passLastWeek(world: World): Promise<Map<string, string>> {
  const { context } = world
  const before = new Map((await allAccounts(world)).map(({ id, generation }) => [id, generation]))
  await passTime(world, WEEK + DEFAULT_DUE_POLICY.spreadMs)
  const end = context.clock.now() + LATE_MS
  let stuckAt = performance.now() + STUCK_MS
  let open = before.size
  for (;;) {
    await settle(world)
    const behind = (await connected(world)).filter((account) => whatIsWrong(account, before, context.clock.now()))
    const waiting = behind.filter(({ status }) => status !== 'needs_reconnect')
    if (waiting.length < open) stuckAt = performance.now() + STUCK_MS
    open = waiting.length
    if (open === 0 || performance.now() > stuckAt) break
    // What failed waits for a time of its own: the clock moves just there.
    const next = Math.min(...waiting.map(({ nextRefreshAt }) => nextRefreshAt))
    if (next > end) break
    await leap(world, (accounts) => (accounts.some(({ attempt }) => attempt !== null) ? 0 : next - context.clock.now()))
    await delay(LOOK_MS)
  }
  const now = context.clock.now()
  return new Map(
    (await connected(world)).flatMap((account) => {
      const trouble = account.status === 'needs_reconnect' ? null : whatIsWrong(account, before, now)
      return trouble === null ? [] : [[account.id, trouble]]
    }),
  )
}

/** Null where all is well. `before`: the generations a week ago. */
export function whatIsWrong(
  { id, status, generation, nextRefreshAt }: Pick<Account, 'id' | 'status' | 'generation' | 'nextRefreshAt'>,
  before: ReadonlyMap<string, number>,
  now: number,
): string | null {
  if (status !== 'active') return `is ${status}`
  if (generation <= (before.get(id) ?? 0)) return 'was not refreshed in the last week'
  return nextRefreshAt > now + DEFAULT_DUE_POLICY.rotateEveryMs ? 'does not fall due again' : null
}

async function connected(world: World): Promise<Account[]> {
  const now = world.context.clock.now()
  const ids = world.users.flatMap((user) => (user.accountId === null || hasRevoked(user, now) ? [] : [user.accountId]))
  return world.context.store.accounts.getMany(ids)
}
