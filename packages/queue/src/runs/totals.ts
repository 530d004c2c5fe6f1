import type { Account, Platform } from '@tokenkeeper/core'
import type { RunTotalName, RunTotals } from '@tokenkeeper/store'

/** What became of one account in a run. */
export type RunResult = Exclude<RunTotalName, 'total'>

const ZERO: Readonly<Record<RunTotalName, number>> = { total: 0, refreshed: 0, failed: 0, skipped: 0, deferred: 0 }

export const NO_TOTALS: RunTotals = { ...ZERO, platforms: {} }

export function addToTotals(
  totals: RunTotals,
  results: readonly { readonly account: Account; readonly result: RunResult }[],
): RunTotals {
  const { platforms, ...sums } = totals
  const sum = { ...sums }
  const byPlatform: Partial<Record<Platform, Record<RunTotalName, number>>> = structuredClone(platforms)
  for (const { account, result } of results) {
    byPlatform[account.platform] ??= { ...ZERO }
    for (const counts of [sum, byPlatform[account.platform]!]) {
      counts.total++
      counts[result]++
    }
  }
  return { ...sum, platforms: byPlatform }
}
