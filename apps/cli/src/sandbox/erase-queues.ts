import type { Queues } from '@tokenkeeper/queue'

/** Removes every key of these queues, schedules too, and nothing else. Only for the sandbox, whose prefix is its own. */
export async function eraseQueues(queues: Queues): Promise<void> {
  for (const queue of [queues.refresh, queues.refreshNow, queues.schedule]) await queue.obliterate({ force: true })
}
