import type { Clock } from '@tokenkeeper/core'
import type { Queue } from 'bullmq'
import { withinDeadline } from './deadline.ts'

type Waiting = 'waiting' | 'prioritized' | 'delayed' | 'active'

/** How many jobs a queue holds in these states. Rejects with REDIS_UNAVAILABLE. */
export async function depthOf(
  queue: Pick<Queue, 'getJobCounts'>,
  clock: Clock,
  states: readonly Waiting[],
): Promise<number> {
  const counts = await withinDeadline(clock, () => queue.getJobCounts(...states))
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
