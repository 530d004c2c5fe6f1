import { type Account, attemptKey, type RefreshType } from '@tokenkeeper/core'
import type { Run, SeenAccount } from '@tokenkeeper/store'
import type { WorkerDeps } from '../deps.ts'
import { BY_SCHEDULE } from './start-run.ts'
import { stateInRun } from './state-in-run.ts'
import { addToTotals, type RunResult } from './totals.ts'

const WINDOW = 1_000
/** Every so many looks what is open is added again, whatever the queue holds. */
const LOOKS_TO_AGAIN = 10
const FIRST_LOOK_MS = 100
const LONGEST_LOOK_MS = 2_000

/** `moved`: a window is accounted for; go on at once. `waiting`: accounts of this window are still being refreshed. */
export type RunStep = 'finished' | 'moved' | 'waiting'

/** Where a run has its accounts refreshed: the queue of the fleet, or this very process. */
export interface RunJobs {
  /** Has each refreshed, by force; one that stands is not added once more. */
  add(accounts: readonly Account[], type: RefreshType): Promise<void>
  /** How many wait or are at work, those that others added too. */
  depth(): Promise<number>
}

export interface StepDeps extends Pick<WorkerDeps, 'store' | 'clock' | 'platforms'> {
  readonly jobs: RunJobs
}

/**
 * One step of a run, safe to repeat and to be done twice at once: notes the window after the cursor as it stands,
 * adds what is open, and moves cursor and totals together once all of it is settled. An account deleted meanwhile is
 * not counted, nor one connected while the last window is at work. `looks`: how often in a row accounts were waited for.
 */
export async function stepRun(deps: StepDeps, runId: string, looks = 0, windowSize = WINDOW): Promise<RunStep> {
  const { store, jobs, clock, platforms } = deps
  const run = await store.runs.get(runId)
  if (run === null || run.finishedAt !== null) return 'finished'
  const window = run.window ?? (await beginWindow(deps, run, windowSize))
  if (window === null) return 'moved'
  const seen = new Map(window.map((account) => [account.id, account]))
  const now = clock.now()
  const results: { account: Account; result: RunResult }[] = []
  const open: Account[] = []
  let awaited = 0
  for (const account of await store.accounts.getMany([...seen.keys()])) {
    const isOn = platforms.includes(account.platform)
    const state = isOn ? stateInRun(run, account, seen.get(account.id)!, now) : 'skipped'
    if (state === 'open') open.push(account)
    else if (state === 'awaited') awaited++
    else results.push({ account, result: state })
  }
  const isTime = run.window === null || looks % LOOKS_TO_AGAIN === LOOKS_TO_AGAIN - 1
  if (open.length > 0 && (isTime || (await mayBeLost(deps, open.length)))) {
    await jobs.add(open, run.requestedBy === BY_SCHEDULE ? 'scheduled' : 'manual')
  }
  if (open.length + awaited > 0) return 'waiting'
  const last = window.length < windowSize
  const moved = await store.runs.advance(run.id, run.cursor, {
    cursor: window.at(-1)?.id ?? run.cursor,
    totals: addToTotals(run.totals, results),
    finishedAt: last ? now : null,
  })
  return last && moved ? 'finished' : 'moved'
}

/** How long (ms) to wait before the next look, where accounts have been waited for so often in a row. */
export function lookAgainMs(looks: number): number {
  return Math.min(LONGEST_LOOK_MS, FIRST_LOOK_MS * 1.3 ** Math.min(looks, 20))
}

/**
 * May jobs of these accounts be missing from the queue? To add them once more would do no harm, but at each look it would
 * cost more than all else of a run. What others have in the queue may hide a loss for some looks.
 */
async function mayBeLost({ jobs }: StepDeps, open: number): Promise<boolean> {
  return (await jobs.depth()) < open
}

/** The window, noted; null if another step was faster. */
async function beginWindow({ store }: StepDeps, run: Run, limit: number): Promise<readonly SeenAccount[] | null> {
  const { platforms } = run.filter
  const accounts = await store.accounts.list({
    ...(platforms && { platformIn: platforms }),
    afterId: run.cursor,
    limit,
  })
  const window = accounts.map(({ id, lastAttempt, snoozedAt }) => {
    return { id, attempted: attemptKey(lastAttempt), snoozedAt }
  })
  return window.length === 0 || (await store.runs.beginWindow(run.id, run.cursor, window)) ? window : null
}
