import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Account } from '@tokenkeeper/core'
import type { Fleet } from './fleet.ts'
import type { World } from './world.ts'

const LOOK_MS = 1

/**
 * Moves the clock by as much as `ms` says of all accounts, while every process stands still; returns by how much. A token
 * that is on its way while hours pass at once would run out of its grace, and no program could help it.
 */
export async function leap(world: World, ms: (accounts: readonly Account[]) => number): Promise<number> {
  const goOn = await standStill(world.fleet)
  try {
    const distance = ms(await allAccounts(world))
    if (distance > 0) world.clockFile.advance(distance)
    return distance
  } finally {
    goOn()
  }
}

export function allAccounts({ context }: Pick<World, 'context'>): Promise<Account[]> {
  return context.store.accounts.list({ afterId: null, limit: 10_000 })
}

/** Stops every process of the fleet that lives; resolves with what lets them go on, once all stand. */
async function standStill({ members }: Fleet): Promise<() => void> {
  const living = [...members.values()].filter(({ diedAt }) => diedAt === undefined).map(({ process }) => process)
  for (const process of living) process.kill('SIGSTOP')
  while (living.some(({ pid }) => isRunning(pid))) await delay(LOOK_MS)
  return () => {
    for (const process of living) process.kill('SIGCONT')
  }
}

/** By what the kernel says: a signal takes a moment to arrive. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !['T', 'Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0]!)
  } catch {
    return false // it is gone
  }
}
