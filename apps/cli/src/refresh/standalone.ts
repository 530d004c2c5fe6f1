import type { AppContext } from '@tokenkeeper/context'
import { BY_SCHEDULE, insertRun, runAlone, STANDALONE, sweepAlone } from '@tokenkeeper/queue'
import type { Output } from '../output.ts'
import { EXIT } from '../program/run.ts'
import { listFailures } from './failures.ts'
import { filterOf, type RefreshOptions } from './options.ts'
import { showProgress } from './progress.ts'
import { reportRun, reportUnfinished } from './report.ts'

/**
 * Does in this process what a fleet would. Without `--all` it is what a timer starts, so its refreshes are logged as
 * scheduled ones. Two at once are harmless: whoever begins an account keeps the other from it.
 */
export async function refreshAlone(
  context: AppContext,
  options: RefreshOptions,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const { localDeps, clock, makeId } = context
  const begun = clock.monotonic()
  const run = await insertRun(localDeps, {
    id: makeId(),
    scheduleId: STANDALONE,
    occurrence: makeId(),
    filter: filterOf(options, clock.now()),
    requestedBy: options.all ? 'cli' : BY_SCHEDULE,
  })
  const ended = new AbortController()
  const progress = showProgress(localDeps, run, output, AbortSignal.any([signal, ended.signal]))
  const finished = await runAlone(localDeps, run, signal).finally(() => ended.abort('over'))
  await progress
  if (finished === null) {
    output.say(
      'Stopped: refreshes in flight are finished first. The next `refresh --standalone` goes on with the rest.',
    )
    reportUnfinished(run, output)
    return EXIT.interrupted
  }
  // What the sweep tries again, of accounts that need somebody, is no part of the run.
  const failures = await listFailures(localDeps, finished)
  await sweepAlone(localDeps, signal)
  return reportRun(context, finished, { durationMs: clock.monotonic() - begun, failures }, output)
}
