import type { AttemptOutcome } from '@tokenkeeper/core'
import { didsOf } from '../world/users.ts'
import type { World } from '../world/world.ts'
import { interrupted } from './interruptions.ts'
import { presentationsByDid, type Wire } from './presentations.ts'

interface Evidence extends Wire, Pick<World, 'users' | 'history'> {
  readonly fleet: Pick<World['fleet'], 'members'>
}

/** Ends that ask for no recovery: its successor is in the store, or the user has connected anew or left. */
const SETTLED: readonly (AttemptOutcome | undefined)[] = ['refreshed', 'superseded', 'removed']

/**
 * For each attempt that was interrupted by a death since then: the seconds from the death to the next presentation of
 * a token of its account by somebody else, or to `now` where none has come. Those that had been committed all the same
 * need none, nor those whose place another had taken before the death.
 */
export function recoverySeconds(world: Evidence, since: number, now: number): number[] {
  const dids = didsOf(world.users)
  const presentations = presentationsByDid(world)
  return interrupted(world.history, world.fleet).flatMap(({ accountId, by, end, displacedAt }) => {
    const { diedAt } = world.fleet.members.get(by)!
    if (diedAt === undefined || diedAt < since || (displacedAt !== undefined && displacedAt < diedAt)) return []
    // What the dead had sent may still have arrived after the death.
    const next = world.history.accounts.get(accountId)?.attempts.find((attempt) => attempt.sentAt > diedAt)
    const presented = next && presentations.get(dids.get(accountId) ?? '')?.find(({ at }) => at >= next.sentAt)
    if (presented) return [(presented.at - diedAt) / 1_000]
    const isOver = SETTLED.includes(end?.outcome) || (displacedAt !== undefined && !next)
    return isOver ? [] : [(now - diedAt) / 1_000]
  })
}

export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}
