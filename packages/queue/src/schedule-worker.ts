import { CodedError, MINUTE } from '@tokenkeeper/core'
import { type Job, Worker } from 'bullmq'
import type { WorkerDeps } from './deps.ts'
import { parseJob, refreshAllJobSchema, runJobSchema, type ScheduleJob } from './jobs.ts'
import { advanceRun } from './runs/advance-run.ts'
import { startOccurrence } from './schedules.ts'
import { putBack } from './settle-job.ts'
import { sweep } from './sweep.ts'
import { processor, workerOptions } from './worker-options.ts'

/** How many ticks and run steps one process works on at once; none of them takes long. */
const CONCURRENCY = 5
const FIRST_LOOK_MS = 100
const LONGEST_LOOK_MS = 2_000
/** How far a tick may seem to lie ahead, where another machine's clock brought it. */
const CLOCKS_DIFFER_MS = MINUTE

/** Works on ticks and on the steps of runs. */
export function createScheduleWorker(deps: WorkerDeps): Worker<ScheduleJob, unknown> {
  const work = processor<ScheduleJob, unknown>((job, token) => dispatch(deps, job, token), deps)
  return new Worker('schedule', work, workerOptions(deps, CONCURRENCY))
}

async function dispatch(deps: WorkerDeps, job: Job<ScheduleJob>, token: string | undefined): Promise<unknown> {
  switch (job.name) {
    case 'sweep':
      return { swept: await sweep(deps) }
    case 'refresh-all':
      return refreshAll(deps, job)
    case 'run':
      return runStep(deps, job, token)
    default:
      throw new CodedError('JOB_INVALID')
  }
}

/**
 * A tick that was brought forward, as whoever can write to Redis may do, starts nothing: it would spend the occurrence
 * whose time is still to come.
 */
async function refreshAll(deps: WorkerDeps, job: Job<ScheduleJob>): Promise<unknown> {
  const { scheduleId } = parseJob(refreshAllJobSchema, job.data)
  const schedule = deps.schedules.find(({ id }) => id === scheduleId)
  const tick = tickTime(job)
  if (schedule && tick <= deps.clock.now() + CLOCKS_DIFFER_MS) await startOccurrence(deps, schedule, tick)
  return { scheduleId }
}

async function runStep(deps: WorkerDeps, job: Job<ScheduleJob>, token: string | undefined): Promise<unknown> {
  const { runId, waits } = parseJob(runJobSchema, job.data)
  const step = await advanceRun(deps, runId, waits)
  if (step === 'finished') return { runId }
  await job.updateData({ runId, waits: step === 'moved' ? 0 : waits + 1 })
  return putBack(
    job,
    token,
    step === 'moved' ? 0 : Math.min(LONGEST_LOOK_MS, FIRST_LOOK_MS * 1.3 ** Math.min(waits, 20)),
  )
}

/** When a tick was meant to be: BullMQ names its job `repeat:<schedule>:<ms>`. */
function tickTime(job: Job): number {
  const time = Number(/:(\d+)$/.exec(job.id ?? '')?.[1])
  if (!Number.isSafeInteger(time)) throw new CodedError('JOB_INVALID')
  return time
}
