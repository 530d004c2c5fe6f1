import type { Account, IndefiniteVerdict } from '@tokenkeeper/core'
import type { GraceProvider, Refreshed } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'
import type { Flight } from './flight.ts'
import { tryAppPassword } from './writes/account-writes.ts'

/**
 * Logs in again with the app password that the user chose to leave. At most once a day, noted before it is tried; a
 * login that got no definite answer does not count. Null if there is none, it was refused, or its day is not over.
 */
export async function healByAppPassword(
  deps: EngineDeps,
  flight: Flight,
  provider: GraceProvider,
  fresh: Account,
): Promise<Refreshed | IndefiniteVerdict | null> {
  const { sealedAppPassword, appPasswordTriedAt, id } = fresh
  const now = deps.clock.now()
  if (sealedAppPassword === null) return null
  if (appPasswordTriedAt !== null && now - appPasswordTriedAt < deps.times.appPasswordEveryMs) return null
  const note = (at: number | null) => deps.store.accounts.write(tryAppPassword(fresh, flight.attempt.id, at))
  try {
    const appPassword = deps.sealer.open(sealedAppPassword, id, 'app_password')
    if (!(await note(now))) return null
    const answer = await provider.loginAgain(flight.account, appPassword)
    if (answer.kind === 'refreshed') return answer
    if (answer.kind === 'dead') return null
    await note(null)
    return answer
  } catch (error) {
    deps.logger.warn({ accountId: id, err: error }, 'app password could not be used')
    return null
  }
}
