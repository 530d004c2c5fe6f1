import type { AuditAction } from '@tokenkeeper/core'
import type { Principal } from '../auth/principal.ts'
import type { ApiDeps } from '../deps.ts'
import { retryFailed, retryJob } from './retry.ts'

export interface ActionParams {
  readonly queueName?: string
  readonly jobId?: string
  readonly queueStatus?: string
}

export interface Action {
  readonly name: AuditAction
  /** In which state jobs must be; those that are delayed must be no ticks of schedules either. */
  readonly takes?: 'failed' | 'delayed'
  /** Instead of what Bull Board would do; records itself what it does. */
  readonly run?: (deps: ApiDeps, params: ActionParams, principal: Principal) => Promise<unknown>
}

/** What may be changed through Bull Board; every other of its actions is refused. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  'PUT /api/queues/:queueName/:jobId/retry': { name: 'job.retried', takes: 'failed', run: retryJob },
  'PUT /api/queues/:queueName/retry/:queueStatus': { name: 'job.retried', run: retryFailed },
  'PUT /api/queues/:queueName/:jobId/promote': { name: 'job.promoted', takes: 'delayed' },
  'PUT /api/queues/:queueName/promote': { name: 'job.promoted', takes: 'delayed' },
  'PUT /api/queues/:queueName/pause': { name: 'queue.paused' },
  'PUT /api/queues/:queueName/resume': { name: 'queue.resumed' },
  'PUT /api/queues/pause': { name: 'queue.paused' },
  'PUT /api/queues/resume': { name: 'queue.resumed' },
}
