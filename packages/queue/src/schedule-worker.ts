import { CodedError } from '@tokenkeeper/core'
import { type Job, Worker } from 'bullmq'
import type { WorkerDeps } from './deps.ts'
import { parseJob, refreshAllJobSchema, runJobSchema, type ScheduleJob } from './jobs.ts'
import { createRetention } from './retention.ts'
import { advanceRun } from './runs/advance-run.ts'
import { lookAgainMs } from './runs/step-run.ts'
import { startDue } from './schedules/start-due.ts'
import { putBack } from './settle-job.ts'
import { sweep } from './sweep.ts'
import { processor, workerOptions } from './worker-options.ts'

/** How many ticks and run steps one process works on at once; none of them takes long. */
const CONCURRENCY = 5

/** Works on ticks and on the steps of runs. */
export function createScheduleWorker(deps: WorkerDeps): Worker<ScheduleJob, unknown> {
  const pruneOld = createRetention(deps)
  const work = processor<ScheduleJob, unknown>((job, token) => dispatch(deps, pruneOld, job, token), deps)
  return new Worker('schedule', work, workerOptions(deps, CONCURRENCY))
}

async function dispatch(
  deps: WorkerDeps,
  pruneOld: () => Promise<number>,
  job: Job<ScheduleJob>,
  token: string | undefined,
): Promise<unknown> {
  switch (job.name) {
    case 'sweep':
      return { swept: await sweep(deps), pruned: await pruneOld() }
    case 'refresh-all':
      return refreshAll(deps, job)
    case 'run':
      return runStep(deps, job, token)
    default:
      throw new CodedError('JOB_INVALID')
  }
}

/**
 * A tick only has somebody look now: what is due is told by the store and the clock. So one that was brought forward, as
 * whoever can write to Redis may do, starts nothing, and one that is missing is made up for by the scheduler.
 */
async function refreshAll(deps: WorkerDeps, job: Job<ScheduleJob>): Promise<unknown> {
  const { scheduleId } = parseJob(refreshAllJobSchema, job.data)
  const schedule = await deps.store.schedules.get(scheduleId)
  if (schedule?.isOn) await startDue(deps, schedule)
  return { scheduleId }
}

async function runStep(deps: WorkerDeps, job: Job<ScheduleJob>, token: string | undefined): Promise<unknown> {
  const { runId, waits } = parseJob(runJobSchema, job.data)
  const step = await advanceRun(deps, runId, waits)
  if (step === 'finished') return { runId }
  await job.updateData({ runId, waits: step === 'moved' ? 0 : waits + 1 })
  return putBack(job, token, step === 'moved' ? 0 : lookAgainMs(waits))
}
