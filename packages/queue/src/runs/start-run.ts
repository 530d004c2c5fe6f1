import type { Run } from '@tokenkeeper/store'
import { withinDeadline } from '../deadline.ts'
import type { ProducerDeps } from '../deps.ts'
import { NO_TOTALS } from './totals.ts'

type RunDeps = Pick<ProducerDeps, 'store' | 'queues' | 'clock' | 'makeId'>

/** `requestedBy` of runs that nobody asked for by hand. */
export const BY_SCHEDULE = 'schedule'

type RunRequest = Pick<Run, 'scheduleId' | 'occurrence' | 'filter' | 'requestedBy'>

/**
 * Starts a refresh-all, or returns the one that stands for this schedule and occurrence. Rejects with REDIS_UNAVAILABLE
 * when it could not be enqueued; the run stands then all the same, and the scheduler enqueues it when Redis is back.
 */
export async function startRun(deps: RunDeps, request: RunRequest): Promise<Run> {
  const run = await insertRun(deps, { id: deps.makeId(), ...request })
  if (run.finishedAt === null) await enqueueRun(deps, run.id)
  return run
}

/** The first half of {@link startRun}, which takes the store alone: the run stands, and has no job yet. */
export async function insertRun(
  { store, clock }: Pick<RunDeps, 'store' | 'clock'>,
  request: RunRequest & Pick<Run, 'id'>,
): Promise<Run> {
  const now = clock.now()
  const fresh = { createdAt: now, startedAt: now, finishedAt: null, cursor: null, window: null, totals: NO_TOTALS }
  return store.runs.insert({ ...request, ...fresh })
}

/** Adds the job that advances a run, unless one stands. */
export async function enqueueRun({ queues, clock }: Pick<RunDeps, 'queues' | 'clock'>, runId: string): Promise<void> {
  const options = { deduplication: { id: `run-${runId}` } }
  await withinDeadline(clock, () => queues.schedule.add('run', { runId, waits: 0 }, options))
}
