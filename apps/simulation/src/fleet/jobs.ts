import { SECOND } from '@tokenkeeper/core'
import type { RefreshOptions, RefreshOutcome } from '@tokenkeeper/engine'
import type { World } from '../world.ts'
import { type Process, workersAtWork } from './machine.ts'
import { openEngine } from './open-engine.ts'
import { latency, runTask } from './task.ts'

const LONGEST_WAIT_MS = 60 * SECOND
/** When a job of a dead worker is given to another one (ms). */
const STALLED_MS = [8 * SECOND, 14 * SECOND] as const

interface Job {
  readonly id: string
  readonly accountId: string
  readonly type: RefreshOptions['type']
  readonly force: boolean
  readonly run: number
}

/** The queue of refreshes: each job goes to some worker at work; that of a dead one goes to another, as its next run. */
export interface Jobs {
  enqueue(accountId: string, options?: { readonly type?: RefreshOptions['type']; readonly force?: boolean }): void
  /** Whether a job for the account waits or runs. */
  has(accountId: string): boolean
  workerIsBack(): void
  /** Dead or stopped: its jobs are given to others when their locks end, unless the queue loses them. */
  workerHeldUp(process: Process): void
}

export function createJobs(getWorld: () => World): Jobs {
  const waiting: Job[] = []
  const running = new Map<Job, Process>()

  function give(job: Job): void {
    const world = getWorld()
    const workers = workersAtWork(world)
    if (workers.length === 0) return void waiting.push(job)
    const process = world.random.pick(workers)
    running.set(job, process)
    if (world.faults.strikes('job.stalled')) world.scheduler.in(world.random.spread(1, 10 * SECOND), () => stalled(job))
    const { accountId, type, force, id, run } = job
    runTask(
      world,
      process,
      `refreshes #${id}${run > 1 ? `.${run}` : ''}`,
      (task) => {
        const relayLater = world.random.chance(0.5)
        return openEngine(world, task).engine.refreshAccount(accountId, { type, force, job: { id, run }, relayLater })
      },
      (outcome) => settle(world, job, outcome),
    )
  }

  function settle(world: World, job: Job, outcome: RefreshOutcome): void {
    if (!running.delete(job) || outcome.kind !== 'busy') return
    const ms = Math.min(LONGEST_WAIT_MS, Math.max(SECOND / 4, outcome.until - world.scheduler.now()))
    again({ ...job, force: false }, ms)
  }

  /** Taken for dead: it runs once more, whether or not its first run goes on. */
  function stalled(job: Job): void {
    if (running.delete(job)) again(job, 0)
  }

  function again(job: Job, ms: number): void {
    const next = { ...job, run: job.run + 1 }
    waiting.push(next)
    getWorld().scheduler.in(ms, () => {
      const i = waiting.indexOf(next)
      if (i >= 0) give(...(waiting.splice(i, 1) as [Job]))
    })
  }

  return {
    enqueue(accountId, { type = 'scheduled', force = false } = {}) {
      const { count, scheduler, random } = getWorld()
      const job: Job = { id: String(count()), accountId, type, force, run: 1 }
      waiting.push(job)
      scheduler.in(latency(random), () => {
        const i = waiting.indexOf(job)
        if (i >= 0) give(...(waiting.splice(i, 1) as [Job]))
      })
    },
    has: (accountId) => [...waiting, ...running.keys()].some((job) => job.accountId === accountId),
    workerIsBack() {
      for (const job of waiting.splice(0)) getWorld().scheduler.in(latency(getWorld().random), () => give(job))
    },
    workerHeldUp(process) {
      const { scheduler, random, plan } = getWorld()
      for (const [job, owner] of running) {
        if (owner !== process) continue
        if (plan.losesJobs) running.delete(job)
        else scheduler.in(random.spread(...STALLED_MS), () => stalled(job))
      }
    },
  }
}
