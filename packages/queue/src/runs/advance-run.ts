import type { Account } from '@tokenkeeper/core'
import type { Run } from '@tokenkeeper/store'
import type { WorkerDeps } from '../deps.ts'
import { enqueueRefresh } from '../enqueue.ts'
import { BY_SCHEDULE } from './start-run.ts'
import { addToTotals, type RunResult } from './totals.ts'

const PAGE = 1_000

/** `moved`: a page is accounted for; go on at once. `waiting`: accounts of this page are still being refreshed. */
export type RunStep = 'finished' | 'moved' | 'waiting'

type AdvanceDeps = Pick<WorkerDeps, 'store' | 'queues' | 'clock' | 'platforms'>

/**
 * One step of a run, safe to repeat and to be done twice at once: looks at the page after the cursor, enqueues what is
 * not settled, and moves cursor and totals together once all of it is. An account deleted meanwhile is not counted.
 */
export async function advanceRun(deps: AdvanceDeps, runId: string, pageSize = PAGE): Promise<RunStep> {
  const { store, queues, clock, platforms } = deps
  const run = await store.runs.get(runId)
  if (run === null || run.finishedAt !== null) return 'finished'
  const { platform } = run.filter
  const page = await store.accounts.list({ ...(platform && { platform }), afterId: run.cursor, limit: pageSize })
  const now = clock.now()
  const results: { account: Account; result: RunResult }[] = []
  const open: Account[] = []
  for (const account of page) {
    const result = platforms.includes(account.platform) ? resultIn(run, account, now) : 'skipped'
    if (result === null) open.push(account)
    else results.push({ account, result })
  }
  if (open.length > 0) {
    const type = run.requestedBy === BY_SCHEDULE ? 'scheduled' : 'manual'
    await enqueueRefresh(queues.refresh, open, { type, force: true, since: run.startedAt, clock })
    return 'waiting'
  }
  const last = page.length < pageSize
  const moved = await store.runs.advance(run.id, run.cursor, {
    cursor: page.at(-1)?.id ?? run.cursor,
    totals: addToTotals(run.totals, results),
    finishedAt: last ? now : null,
  })
  return last && moved ? 'finished' : 'moved'
}

/** What became of the account in this run; null = not settled yet. */
function resultIn(run: Run, account: Account, now: number): RunResult | null {
  const { lastAttempt, attempt, snoozedAt, nextRefreshAt, status } = account
  const { dueBefore } = run.filter
  if (lastAttempt !== null && lastAttempt.at >= run.startedAt) {
    return lastAttempt.outcome === 'refreshed' ? 'refreshed' : 'failed'
  }
  if (status !== 'active') return 'skipped'
  if (snoozedAt !== null && snoozedAt >= run.startedAt) return 'deferred'
  // An outcome from before the run is unknown; the token may be presented again only later.
  if (attempt !== null && attempt.state !== 'live' && attempt.notBefore > now) return 'deferred'
  if (dueBefore !== undefined && nextRefreshAt > dueBefore) return 'skipped'
  return null
}
