import { SAME_END_MS } from '@tokenkeeper/core'
import { DEFAULT_TIMES } from '@tokenkeeper/engine'
import type { World } from '../world.ts'
import type { AccountState } from './account-state.ts'
import type { Fail } from './checker.ts'
import type { Ledger } from './ledger.ts'

/** Who did something after which no credential of an account may be accepted any more. */
export interface Cause {
  /** A step of the engine, and not of those who are outside of it. */
  readonly ours: boolean
  readonly what: string
}

/** A recovery is not delayed beyond this before the end of the grace: what is accepted that long must be saved (ms). */
const MARGIN_MS = DEFAULT_TIMES.graceMarginMs

/** I1: as long as some credential is accepted and kept somewhere, no step of ours loses it. */
export interface Keeping {
  /** Whether some credential is still accepted, and if not, whose doing that is. */
  recheck(state: AccountState, cause: Cause): void
  /** An answer of the attempt was thrown away: only if the store has something as new, or the account is gone. */
  dropped(state: AccountState, id: string, attemptId: string | null, what: string): void
}

export function createKeeping(getWorld: () => World, ledger: Ledger, fail: Fail): Keeping {
  const now = () => getWorld().scheduler.now()

  function recheck(state: AccountState, cause: Cause): void {
    const account = ledger.account(state)
    const before = state.acceptedUntil
    state.acceptedUntil = ledger.acceptedUntil(state)
    if (state.acceptedUntil > now()) state.isLost = false
    const isKnown = state.isLost || account === null || account.status === 'removing'
    if (isKnown || state.acceptedUntil > now()) return
    state.isLost = true
    // A login that was over before it was stored was never kept.
    if (before === Number.NEGATIVE_INFINITY) return
    getWorld().checker.counts.lost++
    getWorld().trace(
      () =>
        `no credential of ${state.id} is accepted any more: ${before <= now() ? 'the last one expired' : cause.what}`,
    )
    if (before <= now()) checkLapse(state, before)
    else if (cause.ours) fail('I1', `${cause.what}, and with it went the last credential that is accepted`)
    else if (state.replaced !== null && ledger.lineage(state).acceptedUntil(state.replaced) > now()) {
      fail('I1', `${cause.what}; the previous credential would be accepted, but was not kept`)
    }
  }

  function checkLapse(state: AccountState, at: number): void {
    // Tokens that are extended end by themselves.
    if (state.kind === 'extend' || hasForgotten(state) || getWorld().faults.wasTrouble(at - MARGIN_MS, at)) return
    fail('I1', 'the last credential expired, and nothing was in the way of saving it')
  }

  function mayDrop(state: AccountState, id: string, attemptId: string | null): boolean {
    const account = ledger.account(state)
    const begun = state.begun.get(attemptId ?? '')
    if (account === null || account.status === 'removing' || begun === undefined) return true
    const { orderOf, loginOf, acceptedUntil } = ledger.lineage(state)
    const current = ledger.idIn(state, account.sealedCredential)
    if (id === current || ledger.spooled(state).some(({ sealed }) => ledger.idIn(state, sealed) === id)) return true
    // Tokens that are extended work side by side: whichever ends later is wanted, whatever got in before.
    if (state.kind === 'extend') {
      return loginOf(id) !== loginOf(current) || acceptedUntil(id) <= (account.diesAt ?? 0) + SAME_END_MS
    }
    return current !== begun.current || orderOf(id) <= orderOf(current)
  }

  /**
   * If the user has logged in anew since, what came before is not wanted any more; and of two successors of one token
   * that a provider made, since it had forgotten the first, the wrong one may have been stored.
   */
  function isWorthKeeping(state: AccountState, id: string): boolean {
    const account = ledger.account(state)
    if (account === null || account.status === 'removing' || hasForgotten(state)) return false
    const { loginOf } = ledger.lineage(state)
    return loginOf(id) === loginOf(ledger.idIn(state, account.sealedCredential))
  }

  function hasForgotten(state: AccountState): boolean {
    const account = ledger.account(state)
    return account !== null && ledger.lineage(state).hasForgotten(account.externalId)
  }

  return {
    recheck,
    dropped(state, id, attemptId, what) {
      if (!mayDrop(state, id, attemptId)) fail('I1', `${what} ${id}, which is nowhere else`)
      recheck(state, { ours: isWorthKeeping(state, id), what: `${what} ${id}` })
    },
  }
}
