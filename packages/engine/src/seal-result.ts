import type { Refreshed } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'
import { dueAt, pagesDueAt, warningOf } from './due.ts'
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
  const { accessExpiresAt, diesAt, extension, dataAccessExpiresAt = account.dataAccessExpiresAt } = answer
  const refreshed = { ...account, diesAt, dataAccessExpiresAt, lastRefreshedAt: answeredAt }
  const pagesAt = pagesDueAt(provider, answeredAt)
  return {
    version: 1,
    accountId: account.id,
    generation: account.generation,
    connectId: account.connectId,
    attempt: { id, refreshType, beganAt, presentedDigest, workerId },
    sealed,
    keyId,
    accessExpiresAt,
    diesAt,
    oldExpiresAt: account.accessExpiresAt,
    nextRefreshAt: dueAt(deps, provider, refreshed, answeredAt),
    answeredAt,
    note: answer.note ?? warningOf(deps, flight, answer, answeredAt),
    ...(extension && { extension }),
    ...(answer.dataAccessExpiresAt !== undefined && { dataAccessExpiresAt }),
    ...(pagesAt !== undefined && { pagesDueAt: pagesAt }),
  }
}
