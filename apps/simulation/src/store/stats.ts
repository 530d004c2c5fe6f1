import type { RefreshLogEntry } from '@tokenkeeper/core'
import type { FailureCount, LogStats, LogStatsQuery, RefreshCount } from '@tokenkeeper/store'

export function statsOf(log: readonly RefreshLogEntry[], { since, topFailures }: LogStatsQuery): LogStats {
  const counts = new Map<string, RefreshCount>()
  const failures = new Map<string, FailureCount>()
  for (const { refreshType, pageId, success, outcome, errorCode, refreshedAt } of log) {
    if (refreshedAt < since) continue
    const ofPages = pageId !== null
    const type = `${refreshType} ${Number(ofPages)}`
    const { total, successful } = counts.get(type) ?? { total: 0, successful: 0 }
    counts.set(type, { refreshType, ofPages, total: total + 1, successful: successful + Number(success) })
    if (success) continue
    const cause = `${outcome} ${errorCode ?? ''}`
    const { count, lastAt } = failures.get(cause) ?? { count: 0, lastAt: 0 }
    failures.set(cause, { outcome, errorCode, count: count + 1, lastAt: Math.max(lastAt, refreshedAt) })
  }
  const byKey = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1)
  return {
    counts: [...counts].toSorted(byKey).map(([, count]) => count),
    failures: [...failures]
      .toSorted((a, b) => b[1].count - a[1].count || byKey(a, b))
      .map(([, failure]) => failure)
      .slice(0, topFailures),
  }
}
