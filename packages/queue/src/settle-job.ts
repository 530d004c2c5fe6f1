import { type Clock, ERRORS, type ErrorCode, SECOND, toCodedError } from '@tokenkeeper/core'
import type { PagesOutcome, RefreshOutcome } from '@tokenkeeper/engine'
import { DelayedError, type Job, UnrecoverableError } from 'bullmq'
import type { RefreshJob } from './jobs.ts'

const LONGEST_WAIT_MS = 60 * SECOND
const SHORTEST_WAIT_MS = SECOND / 4

/** What a finished refresh job leaves in Redis: codes and numbers only. */
export type JobResult = Extract<RefreshOutcome, { kind: 'refreshed' | 'fenced' | 'spooled' | 'skipped' | 'snoozed' }>

export type PagesResult = Exclude<PagesOutcome, { kind: 'failed' }>

/**
 * The one switch from outcome to BullMQ: returns, waits (DelayedError) or fails (JobFailure). BullMQ never retries a
 * failed job: nextRefreshAt in the store says when the sweep brings the account back.
 */
export async function settleJob(
  outcome: RefreshOutcome,
  job: Job<RefreshJob>,
  token: string | undefined,
  clock: Clock,
): Promise<JobResult> {
  switch (outcome.kind) {
    case 'refreshed':
    case 'fenced':
    case 'spooled':
    case 'skipped':
    case 'snoozed':
      return outcome
    case 'busy':
      // The attempt that stands does what the force asked for; a second refresh on its heels would be one too many.
      if (job.data.force) await job.updateData({ ...job.data, force: false })
      return putBack(job, token, Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, outcome.until - clock.now())))
    case 'not_begun':
    case 'failed':
    case 'ambiguous':
    case 'held':
    case 'dead':
    case 'needs_action':
    case 'quarantined':
      throw new JobFailure(outcome.code)
  }
}

/** The same for a fetch of Pages: pagesDueAt in the store says when the sweep comes back to them. */
export function settlePages(outcome: PagesOutcome): PagesResult {
  if (outcome.kind === 'failed') throw new JobFailure(outcome.code)
  return outcome
}

/** Runs the job again in `ms`; that costs no attempt. Throws DelayedError. BullMQ wakes jobs by its own wall clock. */
export async function putBack(job: Job, token: string | undefined, ms: number): Promise<never> {
  await job.moveToDelayed(Date.now() + ms, token)
  throw new DelayedError()
}

/** A failure as BullMQ stores it: `CODE: public message`, and a stack that says no more. */
export class JobFailure extends UnrecoverableError {
  readonly code: ErrorCode

  constructor(code: ErrorCode, publicMessage: string = ERRORS[code]) {
    super(`${code}: ${publicMessage}`)
    this.code = code
    this.stack = this.message
  }
}

export function toJobFailure(error: unknown): JobFailure {
  if (error instanceof JobFailure) return error
  const { code, message } = toCodedError(error)
  return new JobFailure(code, message)
}
