import { nextFailure } from '@tokenkeeper/core'
import type { EngineDeps } from './deps.ts'
import type { Flight } from './flight.ts'
import { writeAndRelay } from './relay.ts'
import { moved, suspectMove } from './writes/account-writes.ts'
import { reasonOf } from './writes/attempt-writes.ts'

/**
 * A host that answers for a deactivated account may be one that the account has left: tokens do not move along, so the
 * user has to connect again there. Believed when the identity says so twice, some minutes apart. The answer itself is
 * committed already, so whatever happens here can be repeated at the next refresh.
 */
export async function watchForMove(deps: EngineDeps, flight: Flight): Promise<void> {
  const { account, provider } = flight
  if (provider.kind !== 'grace') return
  const location = await provider.locate(account)
  if (location.kind !== 'moved') return
  const now = deps.clock.now()
  const generation = account.generation + 1
  const failure = nextFailure(account.failure, { class: 'dead_suspected', code: 'BLUESKY_MOVED' }, now)
  const saidTwice = now - failure.since >= deps.times.witnessMs
  const reason = reasonOf({ code: 'BLUESKY_MOVED', detail: location.host })
  const write = saidTwice
    ? moved(account, generation, { ...failure, class: 'dead' }, reason, now)
    : suspectMove(account, generation, failure, failure.since + deps.times.witnessMs)
  await writeAndRelay(deps, write).catch((error) => {
    deps.logger.warn({ accountId: account.id, err: error }, 'move not noted')
  })
}
