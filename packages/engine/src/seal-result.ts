import { nextDueAt } from '@tokenkeeper/core'
import type { Refreshed } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'
import type { Flight } from './flight.ts'
import type { RefreshResult } from './result.ts'

/** Seals the answer for the account; from here on no secret is in the clear. */
export function sealResult(
  deps: Pick<EngineDeps, 'clock' | 'sealer' | 'due'>,
  flight: Flight,
  answer: Refreshed,
): RefreshResult {
  const { account, attempt, provider } = flight
  const answeredAt = deps.clock.now()
  const { sealed, keyId } = deps.sealer.seal(JSON.stringify(answer.credential), account.id, 'credential')
  const { id, refreshType, beganAt, presentedDigest, workerId } = attempt
  return {
    version: 1,
    accountId: account.id,
    generation: account.generation,
    connectId: account.connectId,
    attempt: { id, refreshType, beganAt, presentedDigest, workerId },
    sealed,
    keyId,
    accessExpiresAt: answer.accessExpiresAt,
    diesAt: answer.diesAt,
    oldExpiresAt: account.accessExpiresAt,
    nextRefreshAt: nextDueAt({ id: account.id, kind: provider.kind, diesAt: answer.diesAt }, answeredAt, deps.due),
    answeredAt,
    note: answer.note,
  }
}
