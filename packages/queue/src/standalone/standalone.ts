import type { Run } from '@tokenkeeper/store'
import type { LocalDeps } from '../deps.ts'
import { finishLeftovers } from '../leftovers.ts'
import { prune } from '../retention.ts'
import { lookAgainMs, stepRun } from '../runs/step-run.ts'
import { sweepInto } from '../sweep.ts'
import { createLocalJobs, type LocalJobs } from './local-jobs.ts'

/** `scheduleId` of the runs that a process does by itself, so that the next one finds what a killed one left. */
export const STANDALONE = 'standalone'

const PAGE = 500
const UNFINISHED_LIMIT = 100

/**
 * Carries out a run in this process, without Redis: first what others have left (spools, halts, what was not told or
 * removed, runs of dead processes), then the run, and attempts of unknown outcome all the while. Others may be at work at
 * once, a fleet too: each account is begun by one, and who finds a run unfinished helps with it. Null if the signal came
 * first; what is at work then is still to be settled by the engine. Rejects as the store does.
 */
export async function runAlone(deps: LocalDeps, run: Run, signal: AbortSignal): Promise<Run | null> {
  const { store, engine } = deps
  await engine.replaySpools()
  await engine.probeHalts()
  await finishLeftovers(deps, signal)
  const jobs = createLocalJobs(deps, signal)
  const unfinished = await store.runs.unfinished(UNFINISHED_LIMIT)
  const left = unfinished.filter(({ id, scheduleId }) => scheduleId === STANDALONE && id !== run.id)
  for (const { id } of [...left, run]) await finishRun(deps, jobs, id, signal)
  return signal.aborted ? null : store.runs.get(run.id)
}

async function finishRun(deps: LocalDeps, jobs: LocalJobs, runId: string, signal: AbortSignal): Promise<void> {
  const { store, clock } = deps
  for (let looks = 0; !signal.aborted; ) {
    jobs.recover(await store.accounts.stale({ now: clock.now(), limit: PAGE }))
    const step = await stepRun({ ...deps, jobs }, runId, looks)
    if (step === 'finished') return
    looks = step === 'moved' ? 0 : looks + 1
    if (step === 'waiting') await clock.sleep(lookAgainMs(looks), signal)
  }
}

/**
 * The rest of what a fleet does all the time: accounts in need of a person or of a key are tried again, Pages that are due
 * are fetched, those of accounts that are gone and what is too old are thrown away. Rejects as the store does.
 */
export async function sweepAlone(deps: LocalDeps, signal: AbortSignal): Promise<void> {
  const { engine } = deps
  const jobs = createLocalJobs(deps, signal)
  await sweepInto(jobs, deps)
  await jobs.idle()
  let afterId: string | null = null
  do {
    if (signal.aborted) return
    afterId = await engine.removeOrphanPages(afterId)
  } while (afterId !== null)
  while (!(await prune(deps)).finished) if (signal.aborted) return
  await engine.pruneJournal()
  await engine.replaySpools()
}
