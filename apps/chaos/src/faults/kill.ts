import { setTimeout as delay } from 'node:timers/promises'
import type { Trap } from '../processes/trap.ts'
import type { Arena } from '../world/arena.ts'
import type { Member } from '../world/fleet.ts'

/** How long a trap is given to fire. */
const PATIENCE_MS = 10_000

/** Some of the workers, at least one; often all. */
export function someWorkers({ fleet, random }: Arena): Member[] {
  const workers = fleet.workers()
  return random.sample(workers, random.int(1, workers.length))
}

/** Sets the trap in each; resolves when all have died of it, or did not come by within `patienceMs`. */
export async function killAt(
  { fleet }: Pick<Arena, 'fleet'>,
  victims: readonly Member[],
  trap: Omit<Trap, 'signal'>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const inTime = new AbortController()
  const late = delay(patienceMs, undefined, { signal: inTime.signal }).catch(() => {})
  for (const victim of victims) fleet.setTrap(victim, { ...trap, signal: 'SIGKILL' })
  await Promise.all(victims.map(({ process }) => Promise.race([process.exited, late])))
  inTime.abort()
  for (const victim of victims) if (victim.diedAt === undefined) fleet.setTrap(victim, null)
}
