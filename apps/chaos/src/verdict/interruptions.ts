import type { AttemptHistory, History } from '../journal/history.ts'
import type { Fleet } from '../world/fleet.ts'

/** Was its process killed, or stopped past its lease, before it had come to an end of its own or was displaced? */
export function isInterrupted(attempt: AttemptHistory, fleet: Pick<Fleet, 'members'>): boolean {
  const owner = fleet.members.get(attempt.by)
  if (!attempt.certain || !owner) return false
  const { sentAt, end, displacedAt = Number.POSITIVE_INFINITY } = attempt
  const endedItselfAt = end?.by === attempt.by ? end.at : Number.POSITIVE_INFINITY
  const { diedAt = Number.POSITIVE_INFINITY } = owner
  if (owner.killed && endedItselfAt === Number.POSITIVE_INFINITY && displacedAt >= diedAt) return true
  return owner.stops.some(({ from, to = Number.POSITIVE_INFINITY }) => {
    return sentAt <= from && endedItselfAt >= from && displacedAt >= from && displacedAt <= to
  })
}

export function interrupted(history: History, fleet: Pick<Fleet, 'members'>): AttemptHistory[] {
  return [...history.attempts.values()].filter((attempt) => isInterrupted(attempt, fleet))
}
