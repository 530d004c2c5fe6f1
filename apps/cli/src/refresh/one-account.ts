import type { AppContext } from '@tokenkeeper/context'
import { type Account, attemptKey, CodedError, type ErrorCode, SECOND } from '@tokenkeeper/core'
import type { RefreshOutcome } from '@tokenkeeper/engine'
import { assertRefreshable, enqueueRefresh, stateInRun, type WorkerDeps, withinDeadline } from '@tokenkeeper/queue'
import type { SeenAccount } from '@tokenkeeper/store'
import type { z } from 'zod'
import type { refreshAccountJson } from '../json/refresh.ts'
import type { Output } from '../output.ts'
import { EXIT } from '../program/run.ts'
import { isoTime, relativeTime } from '../times.ts'
import { meaningOf, whatToDo } from './failures.ts'
import { connect } from './fleet.ts'
import { assertWorkers, watchWorkers } from './workers.ts'

const LOOK_EVERY_MS = SECOND / 5
/** Failed jobs read `CODE: message`. */
const CODE = /^[A-Z][A-Z_]+/

interface OneAccount {
  readonly id: string
  readonly standalone: boolean
}

type Told = z.output<typeof refreshAccountJson>

/** Refreshes one account by hand, before all others, and tells its own outcome; 0 only if it was refreshed. */
export async function refreshOne(
  context: AppContext,
  { id, standalone }: OneAccount,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const { store, clock, localDeps } = context
  const account = await getAccount(context, id)
  assertRefreshable(localDeps, account)
  const code = standalone
    ? codeOf(
        await context.engine.refreshAccount(id, { type: 'manual', force: true, seen: attemptKey(account.lastAttempt) }),
      )
    : await byFleet(context, account, signal)
  const seen = { id, attempted: attemptKey(account.lastAttempt), snoozedAt: account.snoozedAt }
  let latest = await getAccount(context, id)
  // The outcome may be unknown; then the token is presented again soon.
  while (!signal.aborted && stateInRun({ filter: {} }, latest, seen, clock.now()) === 'awaited') {
    await clock.sleep(LOOK_EVERY_MS, signal)
    if (standalone) await context.engine.refreshAccount(id, { type: 'manual' })
    latest = (await store.accounts.get(id)) ?? latest
  }
  if (signal.aborted) {
    output.say('Stopped looking. What was begun goes on; `tokenkeeper log` shows what becomes of it.')
    return EXIT.interrupted
  }
  const told = tell(latest, seen, code)
  output.say(inWords(told, latest, clock.now()))
  output.result(told)
  return told.outcome === 'refreshed' ? EXIT.ok : EXIT.failed
}

async function getAccount({ store }: AppContext, id: string): Promise<Account> {
  const account = await store.accounts.get(id)
  if (account !== null) return account
  throw new CodedError('ACCOUNT_NOT_FOUND', {
    publicMessage: 'There is no such account. `tokenkeeper accounts list` shows them.',
  })
}

/** The code that the job failed with, null if it did not. Rejects with NO_WORKERS or REDIS_UNAVAILABLE. */
async function byFleet(context: AppContext, account: Account, signal: AbortSignal): Promise<string | null> {
  const deps = await connect(context)
  await assertWorkers(deps)
  const { store, queues, clock, makeId } = deps
  await store.audit.insert([
    {
      id: makeId(),
      accountId: account.id,
      action: 'account.refresh_requested',
      actor: 'cli',
      detail: null,
      at: clock.now(),
    },
  ])
  const options = { type: 'manual', force: true, first: true, clock } as const
  const [jobId] = await enqueueRefresh(queues.refreshNow, [account], options)
  const ended = new AbortController()
  const stop = AbortSignal.any([signal, ended.signal])
  try {
    return await Promise.race([jobEnd(deps, jobId!, stop), watchWorkers(deps, stop).then(() => null)])
  } finally {
    ended.abort('over')
  }
}

async function jobEnd({ queues, clock }: WorkerDeps, jobId: string, signal: AbortSignal): Promise<string | null> {
  while (!signal.aborted) {
    const job = await withinDeadline(clock, () => queues.refreshNow.getJob(jobId))
    // Finished jobs are kept for a while, but not if very many end at once.
    if (job === undefined) return null
    if (job.finishedOn !== undefined) return CODE.exec(job.failedReason ?? '')?.[0] ?? null
    await clock.sleep(LOOK_EVERY_MS, signal)
  }
  return null
}

function codeOf(outcome: RefreshOutcome): ErrorCode | null {
  return 'code' in outcome ? outcome.code : null
}

/** By what the account tells; where nothing was attempted, by how the job, or the call, ended. */
function tell(account: Account, seen: SeenAccount, code: string | null): Told {
  const { id, platform, displayName, lastAttempt, failure, status, statusReason } = account
  const isAttempted = attemptKey(lastAttempt) !== seen.attempted
  const outcome =
    isAttempted && lastAttempt?.outcome === 'refreshed'
      ? 'refreshed'
      : isAttempted || code !== null
        ? 'failed'
        : account.snoozedAt !== seen.snoozedAt || account.attempt !== null
          ? 'put_off'
          : 'skipped'
  const reason = failure?.code ?? statusReason?.split(' ')[0] ?? code ?? lastAttempt?.outcome.toUpperCase() ?? null
  const shown = outcome === 'failed' ? (isAttempted ? reason : code) : null
  return {
    accountId: id,
    platform,
    name: displayName,
    outcome,
    code: shown,
    message: shown && meaningOf(shown),
    status,
    todo: outcome === 'failed' ? whatToDo(account) : null,
    nextRefreshAt: isoTime(account.nextRefreshAt)!,
    diesAt: isoTime(account.diesAt),
  }
}

function inWords({ outcome, name, code, message, todo }: Told, account: Account, now: number): string {
  const next = relativeTime(Math.max(account.nextRefreshAt, now), now)
  switch (outcome) {
    case 'refreshed': {
      const end =
        account.diesAt === null ? 'without a known end' : `good for ${relativeTime(account.diesAt, now).slice(3)}`
      return `Refreshed ${name}: ${end}; the next refresh ${next}.`
    }
    case 'failed':
      return `Not refreshed: ${name}. ${code}: ${message}\nWhat to do: ${todo}${account.status === 'active' ? `, ${next}` : ''}.`
    case 'put_off':
      return `Put off: ${name}. A host asked us to wait, the platform is halted, or an outcome is still unknown; it comes back ${next}.`
    case 'skipped':
      return `Nothing was done: ${name} was attempted by somebody else meanwhile, or is not active.`
  }
}
