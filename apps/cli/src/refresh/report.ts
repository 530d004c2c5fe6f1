import type { AppContext } from '@tokenkeeper/context'
import type { Platform } from '@tokenkeeper/core'
import type { Run, RunTotalName } from '@tokenkeeper/store'
import type { z } from 'zod'
import type { refreshRunJson } from '../json/refresh.ts'
import type { Output } from '../output.ts'
import { EXIT } from '../program/run.ts'
import { renderTable } from '../table.ts'
import { isoTime, relativeTime } from '../times.ts'
import { type Failure, listFailures, meaningOf, whatToDo } from './failures.ts'

interface ReportOptions {
  readonly durationMs: number
  /** Where they were looked up already. */
  readonly failures?: readonly Failure[]
}

/** Tells what became of a run. Resolves to the exit code: 1 if any refresh failed. */
export async function reportRun(
  { store, clock }: Pick<AppContext, 'store' | 'clock'>,
  run: Run,
  { durationMs, failures: known }: ReportOptions,
  output: Output,
): Promise<number> {
  const failures = known ?? (await listFailures({ store }, run))
  output.say(totalsTable(run))
  output.say(`\ntook ${(durationMs / 1_000).toFixed(1)} s`)
  const { deferred, failed } = run.totals
  if (deferred > 0) {
    output.say(`${deferred} put off: a host asked us to wait, a platform is halted, or an outcome is still unknown.`)
  }
  if (failures.length > 0) output.say(`\n${failureTable(failures, clock.now(), output)}`)
  if (failed > failures.length) output.say(`${failed - failures.length} more failed: tokenkeeper log --failed`)
  output.result(runForPrograms(run, failures, durationMs))
  return failed > 0 ? EXIT.failed : EXIT.ok
}

/** For programs, of a run that goes on without the command. */
export function reportUnfinished(run: Run, output: Output): void {
  output.result(runForPrograms(run, [], 0))
}

function runForPrograms(run: Run, failures: readonly Failure[], durationMs: number): z.output<typeof refreshRunJson> {
  const { platforms, ...sums } = run.totals
  return {
    runId: run.id,
    finished: run.finishedAt !== null,
    run: sums,
    platforms,
    failures: failures.map(({ account, code }) => ({
      accountId: account.id,
      platform: account.platform,
      name: account.displayName,
      code,
      message: meaningOf(code),
      status: account.status,
      todo: whatToDo(account),
      nextRefreshAt: isoTime(account.nextRefreshAt)!,
    })),
    durationMs: Math.round(durationMs),
  }
}

const COUNTED: readonly RunTotalName[] = ['total', 'refreshed', 'failed', 'skipped', 'deferred']

function totalsTable({ totals }: Run): string {
  const { platforms, ...sums } = totals
  const cells = (counts: Readonly<Record<RunTotalName, number>>) => COUNTED.map((name) => counts[name])
  const rows = Object.entries(platforms).map(([platform, counts]) => [platform as Platform, ...cells(counts)])
  return renderTable(
    ['platform', 'accounts', 'refreshed', 'failed', 'skipped', 'put off'],
    [...rows, ['all', ...cells(sums)]],
  )
}

function failureTable(failures: readonly Failure[], now: number, { paint }: Output): string {
  const rows = failures.map(({ account, code }) => [
    account.id,
    account.displayName,
    paint('red', code),
    meaningOf(code),
    account.status === 'active'
      ? `${whatToDo(account)}, ${relativeTime(Math.max(account.nextRefreshAt, now), now)}`
      : whatToDo(account),
  ])
  return renderTable(['account', 'name', 'code', 'why', 'what to do'], rows)
}
