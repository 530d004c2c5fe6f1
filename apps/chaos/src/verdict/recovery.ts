import { didsOf } from '../world/users.ts'
import type { World } from '../world/world.ts'
import { interrupted } from './interruptions.ts'
import { presentationsByDid } from './presentations.ts'

/**
 * For each attempt that was interrupted by a death since then: the seconds from the death to the next presentation of
 * a token of its account by somebody else. Those that had been committed all the same need none.
 */
export function recoverySeconds(world: World, since: number): number[] {
  const dids = didsOf(world.users)
  const presentations = presentationsByDid(world)
  return interrupted(world.history, world.fleet).flatMap(({ accountId, by }) => {
    const { diedAt } = world.fleet.members.get(by)!
    if (diedAt === undefined || diedAt < since) return []
    // What the dead had sent may still have arrived after the death.
    const next = world.history.accounts.get(accountId)?.attempts.find((attempt) => attempt.sentAt > diedAt)
    const presented = next && presentations.get(dids.get(accountId) ?? '')?.find(({ at }) => at >= next.sentAt)
    return presented ? [(presented.at - diedAt) / 1_000] : []
  })
}

export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}
