import type { AppContext } from '@tokenkeeper/context'
import { CodedError, hasCode, toCodedError } from '@tokenkeeper/core'
import { startRun, type WorkerDeps } from '@tokenkeeper/queue'
import type { Run } from '@tokenkeeper/store'
import type { Output } from '../output.ts'
import { EXIT } from '../program/run.ts'
import { followRun } from '../run/follow-run.ts'
import { filterOf, type RefreshOptions } from './options.ts'
import { showProgress } from './progress.ts'
import { reportRun, reportUnfinished } from './report.ts'
import { assertWorkers, watchWorkers } from './workers.ts'

/** Has the workers carry out a run, and follows it. Rejects with NO_WORKERS or REDIS_UNAVAILABLE. */
export async function refreshByFleet(
  context: AppContext,
  options: RefreshOptions,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const begun = context.clock.monotonic()
  const deps = await connect(context)
  await assertWorkers(deps)
  const run = await requestRun(deps, options)
  const finished = await follow(deps, run, output, signal)
  if (finished === null) {
    output.say('Stopped looking. The run goes on without this command; `tokenkeeper log` shows what becomes of it.')
    reportUnfinished(run, output)
    return EXIT.interrupted
  }
  return reportRun(context, finished, { durationMs: context.clock.monotonic() - begun }, output)
}

/** Rejects with REDIS_UNAVAILABLE, which names the way around it. */
export async function connect(context: AppContext): Promise<WorkerDeps> {
  try {
    return await context.connectRedis()
  } catch (error) {
    if (!hasCode(error, 'REDIS_UNAVAILABLE')) throw error
    throw new CodedError('REDIS_UNAVAILABLE', {
      cause: error,
      publicMessage: `${toCodedError(error).message} Or do it without: \`tokenkeeper refresh --standalone\`.`,
    })
  }
}

/** Recorded before it is begun: what a person asked for is never untold. */
async function requestRun(deps: WorkerDeps, options: RefreshOptions): Promise<Run> {
  const { store, clock, makeId } = deps
  const occurrence = makeId()
  const detail = `refresh ${options.all ? '--all ' : ''}${options.platform ?? ''}`.trim()
  await store.audit.insert([
    { id: makeId(), accountId: '', action: 'run.requested', actor: 'cli', detail, at: clock.now() },
  ])
  const filter = filterOf(options, clock.now())
  return startRun(deps, { scheduleId: 'cli', occurrence, filter, requestedBy: 'cli' })
}

async function follow(deps: WorkerDeps, run: Run, output: Output, signal: AbortSignal): Promise<Run | null> {
  const ended = new AbortController()
  const stop = AbortSignal.any([signal, ended.signal])
  const progress = showProgress(deps, run, output, stop)
  try {
    const gone = watchWorkers(deps, stop).then(() => null)
    return await Promise.race([followRun(deps, run.id, stop), gone])
  } finally {
    ended.abort('over')
    await progress
  }
}
