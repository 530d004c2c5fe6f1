import type { AttemptHistory, History } from '../journal/history.ts'
import type { Fleet } from '../world/fleet.ts'

/** Was its process killed, or stopped past its lease, before it had come to an end of its own? */
export function isInterrupted(attempt: AttemptHistory, fleet: Pick<Fleet, 'members'>): boolean {
  const owner = fleet.members.get(attempt.by)
  if (!attempt.certain || !owner) return false
  const endedItself = attempt.end?.by === attempt.by
  if (owner.killed) return !endedItself
  return owner.stops.some(({ from, to = Number.POSITIVE_INFINITY }) => {
    const { sentAt, displacedAt = Number.POSITIVE_INFINITY } = attempt
    return sentAt <= from && displacedAt >= from && displacedAt <= to
  })
}

export function interrupted(history: History, fleet: Pick<Fleet, 'members'>): AttemptHistory[] {
  return [...history.attempts.values()].filter((attempt) => isInterrupted(attempt, fleet))
}
