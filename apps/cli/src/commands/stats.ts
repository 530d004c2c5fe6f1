import { type AttemptOutcome, DAY, ERRORS, type ErrorCode, systemClock } from '@tokenkeeper/core'
import type { FailureCount, LogStats, RefreshCount } from '@tokenkeeper/store'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'
import { isoTime, relativeTime } from '../times.ts'

interface Options {
  readonly days: number
  readonly sandbox?: boolean
}

const TOP_FAILURES = 10

/** Where nobody heard an answer. */
const UNANSWERED: Readonly<Partial<Record<AttemptOutcome, string>>> = {
  interrupted: 'Its process died, or was held up; another one began again.',
  superseded: 'The user connected the account anew meanwhile.',
  removed: 'The account was removed meanwhile.',
}

export async function stats({ days, sandbox }: Options, output: Output): Promise<number> {
  await using store = await openExistingStore(loadSettings(sandbox))
  const now = systemClock.now()
  const since = now - days * DAY
  const found = (await store?.log.stats({ since, topFailures: TOP_FAILURES })) ?? { counts: [], failures: [] }
  if (output.json) output.result(forPrograms(found, since, days))
  else if (found.counts.length === 0) output.say(`Nothing was refreshed in the last ${days} days.`)
  else sayStats(found, days, now, output)
  return 0
}

type Counts = Pick<RefreshCount, 'total' | 'successful'>

/** Of everything that really happened: tests refresh nothing. */
function sum(counts: readonly RefreshCount[]): Counts {
  const real = counts.filter(({ refreshType }) => refreshType !== 'test')
  const sumOf = (field: keyof Counts) => real.reduce((sum, count) => sum + count[field], 0)
  return { total: sumOf('total'), successful: sumOf('successful') }
}

/** Null where there is nothing to have a rate of. */
function successRate({ total, successful }: Counts): number | null {
  return total === 0 ? null : Math.round((successful / total) * 10_000) / 10_000
}

function forPrograms({ counts, failures }: LogStats, since: number, days: number) {
  const all = sum(counts)
  return {
    since: isoTime(since),
    days,
    ...all,
    successRate: successRate(all),
    types: counts.map((count) => ({ ...count, successRate: successRate(count) })),
    failures: failures.map((failure) => ({
      outcome: failure.outcome,
      errorCode: failure.errorCode,
      message: messageOf(failure),
      count: failure.count,
      lastAt: isoTime(failure.lastAt),
    })),
  }
}

function sayStats({ counts, failures }: LogStats, days: number, now: number, output: Output): void {
  const row = (name: string, count: Counts) => [name, count.total, count.successful, percent(successRate(count))]
  const types = counts.map((count) => row(`${count.refreshType}${count.ofPages ? ', Pages' : ''}`, count))
  const hasTests = counts.some(({ refreshType }) => refreshType === 'test')
  const all = row(hasTests ? 'all but tests' : 'all', sum(counts))
  output.say(renderTable([`last ${days} days`, 'total', 'successful', 'success rate'], [...types, all]))
  if (failures.length === 0) return
  const causes = failures.map((failure) => [
    failure.count,
    [failure.errorCode ?? failure.outcome, messageOf(failure)].filter(Boolean).join(': '),
    relativeTime(failure.lastAt, now),
  ])
  output.say()
  output.say(renderTable(['failures', 'why', 'last'], causes))
}

function percent(rate: number | null): string {
  return rate === null ? '-' : `${(rate * 100).toFixed(2)} %`
}

function messageOf({ errorCode, outcome }: FailureCount): string | null {
  return (errorCode === null ? UNANSWERED[outcome] : ERRORS[errorCode as ErrorCode]) ?? null
}
