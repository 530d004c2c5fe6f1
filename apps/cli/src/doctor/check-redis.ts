import type { RedisInspection } from '@tokenkeeper/queue'
import { type Finding, failed, ok, skipped, warning } from './finding.ts'

/** Its version, whether it keeps jobs over a restart, and whether it may throw them away. */
export function checkRedis(redis: RedisInspection): Finding[] {
  const { version, cluster } = redis
  return [ok(`Redis ${version}${cluster ? ', a cluster,' : ''} answers.`), persistence(redis), eviction(redis)]
}

function persistence({ persistence: kept, cannotPersist }: RedisInspection): Finding {
  if (cannotPersist) {
    return failed(
      'Redis could not write to its disk the last time.',
      'Look at its log, and at the free space of its disk.',
    )
  }
  switch (kept) {
    case 'append-only':
      return ok('Redis keeps its data on disk (append-only).')
    case 'snapshots':
      return ok('Redis keeps its data on disk, by snapshots: minutes of jobs may be lost, and are made again.')
    case 'none':
      return warning(
        'Redis keeps nothing on disk: after a restart jobs and schedules are made again from the store, later.',
        'Set `appendonly yes` in its configuration.',
      )
    case null:
      return skipped('This Redis does not tell whether it keeps its data on disk.')
  }
}

function eviction({ policy }: RedisInspection): Finding {
  if (policy === null) return skipped('This Redis does not tell what it does when its memory is full.')
  if (policy === 'noeviction') return ok('Redis throws no jobs away when its memory is full (noeviction).')
  return failed(
    `Redis throws jobs away when its memory is full (${policy}).`,
    'Set `maxmemory-policy noeviction` in its configuration.',
  )
}
