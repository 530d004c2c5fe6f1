import type { RefreshAnswer, Refreshed } from '@tokenkeeper/providers'
import { weighDeadCode } from './dead-code.ts'
import type { EngineDeps } from './deps.ts'
import type { Flight } from './flight.ts'
import { endProbed } from './halt-probes.ts'
import { concludeIndefinite } from './indefinite.ts'
import { land, landedOutcome } from './land.ts'
import { watchForMove } from './moved.ts'
import type { RefreshOutcome } from './outcome.ts'
import { shorterToken } from './verdicts.ts'

/** What an answer means for the attempt: the one place where it ends. */
export async function conclude(deps: EngineDeps, flight: Flight, answer: RefreshAnswer): Promise<RefreshOutcome> {
  const { account, attempt, probing } = flight
  if (answer.kind === 'refreshed') {
    const outcome = await concludeRefreshed(deps, flight, answer)
    await endProbed(deps, probing)
    return outcome
  }
  const { kind: verdict, code, internal } = answer
  const fields = { accountId: account.id, attemptId: attempt.id, verdict, code, internal }
  deps.logger.warn(fields, `not refreshed: ${account.displayName}`)
  // What is wrong with the user is told to an app that is accepted.
  if (verdict === 'dead' || verdict === 'needs_action') await endProbed(deps, probing)
  return answer.kind === 'dead' ? weighDeadCode(deps, flight, answer) : concludeIndefinite(deps, flight, answer)
}

async function concludeRefreshed(deps: EngineDeps, flight: Flight, answer: Refreshed): Promise<RefreshOutcome> {
  const landing = await land(deps, flight, answer)
  if (landing === 'shorter') return concludeIndefinite(deps, flight, shorterToken)
  if (landing === 'committed' && answer.note === 'BLUESKY_DEACTIVATED') await watchForMove(deps, flight)
  return landedOutcome(flight, landing)
}
