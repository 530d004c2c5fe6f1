import type { WorkerDeps } from '../deps.ts'
import { depthOf } from '../depth.ts'
import { enqueueRefresh } from '../enqueue.ts'
import { type RunJobs, type RunStep, stepRun } from './step-run.ts'

type AdvanceDeps = Pick<WorkerDeps, 'store' | 'queues' | 'clock' | 'platforms'>

/** A step of a run whose accounts the fleet refreshes: see {@link stepRun}. Rejects with REDIS_UNAVAILABLE too. */
export function advanceRun(deps: AdvanceDeps, runId: string, looks?: number, windowSize?: number): Promise<RunStep> {
  return stepRun({ ...deps, jobs: queueJobs(deps) }, runId, looks, windowSize)
}

function queueJobs({ queues, clock }: Pick<AdvanceDeps, 'queues' | 'clock'>): RunJobs {
  return {
    async add(accounts, type) {
      await enqueueRefresh(queues.refresh, accounts, { type, force: true, clock })
    },
    depth: () => depthOf(queues.refresh, clock, ['waiting', 'prioritized', 'delayed', 'active']),
  }
}
