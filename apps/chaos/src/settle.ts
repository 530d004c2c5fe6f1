import { setTimeout as delay } from 'node:timers/promises'
import type { Account } from '@tokenkeeper/core'
import { allAccounts, leap } from './world/leap.ts'
import { inLanes } from './world/users.ts'
import type { World } from './world/world.ts'

export interface SettleOptions {
  /** Also the outboxes, and removals. */
  readonly fully?: boolean
  /** Leave the clock alone; what waits for a time to come is left open. */
  readonly keepTime?: boolean
}

const LOOK_MS = 250
const AT_ONCE = 16
/** Longer than any wait of the product that the clock does not shorten. */
const STUCK_MS = 180_000

/**
 * Waits until no outcome is unknown. Where all that is open waits for a time, the clock moves just there, so that the
 * product gets each chance that it would have. Throws if something stays stuck.
 */
export async function settle(world: World, { fully = false, keepTime = false }: SettleOptions = {}): Promise<void> {
  const { context, fleet } = world
  const until = performance.now() + STUCK_MS
  for (;;) {
    world.history.read()
    const open = (await allAccounts(world)).filter((account) => isOpen(account, fully))
    const now = context.clock.now()
    if (open.every((account) => keepTime && isWaiting(account, now))) return
    if (performance.now() > until) throw new Error(`Stuck: ${open.slice(0, 5).map(describe)}`)
    if (!keepTime) {
      await leap(world, (accounts) => {
        const standing = accounts.filter((account) => isOpen(account, fully))
        return nextWait(standing, context.clock.now(), (owner) => !isAlive(owner))
      })
    }
    await delay(LOOK_MS)
  }

  function isAlive(workerId: string): boolean {
    const pid = Number(workerId.split(':')[1])
    return [...fleet.members.values()].some((member) => member.process.pid === pid && member.diedAt === undefined)
  }
}

/** Once no attempt is open, a time passes at once. */
export async function passTime(world: World, ms: number): Promise<void> {
  do await settle(world)
  while ((await leap(world, (accounts) => (accounts.some(({ attempt }) => attempt !== null) ? 0 : ms))) === 0)
}

/** Reads every account, and what all processes wrote down: what was seen to stand is certain. */
export async function lookAtAll(world: Pick<World, 'context' | 'history'>): Promise<void> {
  const accounts = await allAccounts(world)
  await inLanes(accounts, AT_ONCE, ({ id }) => world.context.store.accounts.get(id))
  world.history.read()
}

function isOpen(account: Account, fully: boolean): boolean {
  if (account.attempt !== null) return true
  return fully && (account.outbox.length > 0 || account.status === 'removing')
}

function isWaiting({ attempt }: Account, now: number): boolean {
  return attempt !== null && attempt.state !== 'live' && attempt.notBefore > now
}

/** How long everything that is open waits for its time (ms); 0 if something can be done now, or its owner is at it. */
function nextWait(open: readonly Account[], now: number, isDead: (workerId: string) => boolean): number {
  const waits = open.map(({ attempt }) => {
    if (attempt === null) return 0
    if (attempt.state === 'live') return isDead(attempt.workerId) ? attempt.leaseUntil - now : 0
    return attempt.notBefore - now
  })
  return waits.length === 0 ? 0 : Math.max(0, Math.min(...waits))
}

function describe({ id, status, attempt, outbox, failure }: Account): string {
  const standing = attempt && { ...attempt, presentedDigest: undefined }
  return JSON.stringify({ id, status, attempt: standing, told: outbox.length, failure })
}
