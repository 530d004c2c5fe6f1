import type { Account, RefreshLogEntry } from '@tokenkeeper/core'
import type { LineageAttempt, LineageGeneration } from './explanation.ts'

/** Which token led to which, by their digests: from the log, from what is on its way there, and from what stands. */
export function lineageOf(account: Account, log: readonly RefreshLogEntry[]): LineageGeneration[] {
  const underWay = account.outbox.flatMap((item) => (item.kind === 'log' ? [item.entry] : []))
  const told = new Map<string, RefreshLogEntry>()
  for (const entry of [...log, ...underWay]) {
    // What is on its way is newer, but nothing takes a success back.
    if (entry.pageId === null && entry.refreshType !== 'test' && told.get(entry.id)?.outcome !== 'refreshed')
      told.set(entry.id, entry)
  }
  const attempts = [...told.values()].map((entry) => ({ generation: entry.generation, attempt: toAttempt(entry) }))
  const { attempt: standing, generation } = account
  if (standing !== null && !told.has(standing.id)) {
    const { id, presentedDigest: tokenDigest, refreshType, beganAt: at } = standing
    attempts.push({
      generation,
      attempt: { id, tokenDigest, refreshType, outcome: 'standing', errorCode: null, at },
    })
  }
  return [...Map.groupBy(attempts, (one) => one.generation)]
    .map(([generation, group]) => ({
      generation,
      attempts: group.map(({ attempt }) => attempt).toSorted((a, b) => b.at - a.at),
    }))
    .toSorted((a, b) => b.generation - a.generation)
}

function toAttempt({
  id,
  tokenDigest,
  refreshType,
  outcome,
  errorCode,
  refreshedAt: at,
}: RefreshLogEntry): LineageAttempt {
  return { id, tokenDigest, refreshType, outcome, errorCode, at }
}
