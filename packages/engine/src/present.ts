import { type Credential, within } from '@tokenkeeper/core'
import type { RefreshAnswer, Refreshed } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'
import type { Flight } from './flight.ts'
import { land } from './land.ts'
import { rejected, timedOut } from './verdicts.ts'

/** What to do with an answer that comes after the engine's patience ended; the default commits it. */
type LateAnswer = (answer: Refreshed) => Promise<unknown>

/**
 * Presents a token, once. After the time-out the verdict is *unknown* and the attempt is over, but the socket is still
 * read: a late successor is committed all the same, since the generation alone decides what may be written.
 */
export async function present(
  deps: EngineDeps,
  flight: Flight,
  credential: Credential,
  onLate: LateAnswer = (answer) => land(deps, flight, answer),
): Promise<RefreshAnswer> {
  const call = flight.provider.refresh(flight.account, credential).catch(rejected)
  await deps.hook(flight.recovery ? 'recovery.in-flight' : 'send.in-flight', flight.account.id)
  const answer = await within(deps.clock, deps.times.providerTimeoutMs, call, () => null)
  if (answer !== null) return answer
  void readOn(deps, flight, call, onLate)
  return timedOut
}

async function readOn(
  deps: EngineDeps,
  flight: Flight,
  call: Promise<RefreshAnswer>,
  onLate: LateAnswer,
): Promise<void> {
  const late = await within(deps.clock, deps.times.lateAnswerMs, call, () => null)
  if (late?.kind !== 'refreshed') return
  deps.logger.info({ accountId: flight.account.id, attemptId: flight.attempt.id }, 'late answer')
  await onLate(late).catch((error) => deps.logger.error({ err: error }, 'late answer could not be kept'))
}
