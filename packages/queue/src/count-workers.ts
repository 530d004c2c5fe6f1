import type { Clock } from '@tokenkeeper/core'
import { withinDeadline } from './deadline.ts'
import type { Queues } from './queues.ts'

/** How many processes take jobs now, as Redis knows them by their connections. Rejects with REDIS_UNAVAILABLE. */
export function countWorkers({ refresh }: Pick<Queues, 'refresh'>, clock: Clock): Promise<number> {
  return withinDeadline(clock, () => refresh.getWorkersCount())
}
