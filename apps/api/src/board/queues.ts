import type { ProducerDeps } from '@tokenkeeper/queue'
import type { Queue } from 'bullmq'

export type BoardQueues = ProducerDeps['queues']

export const QUEUES = [
  { key: 'refresh', description: 'What falls due, and refresh-all.' },
  { key: 'refreshNow', description: 'What a person asked for, and recovery.' },
  { key: 'schedule', description: 'Sweeps, schedules and the steps of runs.' },
] as const satisfies readonly { key: keyof BoardQueues; description: string }[]

export const SCHEDULE = 'schedule'

export function findQueue(queues: BoardQueues, name: string): Queue | null {
  return QUEUES.map(({ key }): Queue => queues[key]).find((queue) => queue.name === name) ?? null
}
