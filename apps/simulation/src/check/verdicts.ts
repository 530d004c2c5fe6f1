import { type Account, SAME_END_MS } from '@tokenkeeper/core'
import { DEFAULT_TIMES } from '@tokenkeeper/engine'
import type { About } from '../store/database.ts'
import type { AccountState } from './account-state.ts'
import type { Counts, Fail } from './checker.ts'
import type { Ledger } from './ledger.ts'

/** I3: what takes a credential's place is newer. */
export function checkNewer(
  ledger: Ledger,
  fail: Fail,
  state: AccountState,
  { name }: About,
  before: Account,
  after: Account,
): void {
  const { orderOf, loginOf } = ledger.lineage(state)
  const [older, newer] = [ledger.idIn(state, before.sealedCredential), ledger.idIn(state, after.sealedCredential)]
  if (older === newer) {
    if (name !== 'reseal' && state.kind === 'grace') fail('I3', `${name} stored ${newer} as its own successor`)
    return
  }
  state.replaced = name === 'reconnect' ? null : older
  const isSameLogin = loginOf(newer) === loginOf(older)
  // Tokens that are extended work side by side: one that was issued before is no step back if it ends later.
  const endsLater = state.kind === 'extend' && (after.diesAt ?? 0) >= (before.diesAt ?? 0) - SAME_END_MS
  const isNewer = orderOf(newer) > orderOf(older) || (isSameLogin && endsLater)
  // Of two logins that cross, either may stay.
  const isOtherLogin = !isSameLogin && name === 'reconnect'
  if (!isNewer && !isOtherLogin) fail('I3', `${name} overwrote ${older} with the older ${newer}`)
}

/** I4: no dead verdict while some credential is accepted, but where its only place is away for longer than the hold. */
export function checkDead(
  ledger: Ledger,
  fail: Fail,
  counts: Counts,
  state: AccountState,
  account: Account,
  now: number,
): void {
  const { acceptedUntil } = ledger.lineage(state)
  const stored = ledger.storedIds(state, account).filter((id) => acceptedUntil(id) > now)
  if (stored.length > 0) fail('I4', `called dead while ${stored} in the store is accepted`)
  const elsewhere = [
    ...ledger.spooled(state).map(({ sealed, answeredAt, attempt }) => ({
      id: ledger.idIn(state, sealed),
      since: answeredAt,
      attemptId: attempt.id,
    })),
    ...[...ledger.copies]
      .filter(({ accountId }) => accountId === state.id)
      .map(({ id, since, task }) => ({ id, since, attemptId: task.attemptId })),
  ]
  for (const { id, since, attemptId } of elsewhere) {
    // That an earlier generation has an answer under way nobody knows any more; its replay revives all the same.
    const isOfGeneration = state.begun.get(attemptId ?? '')?.generation === account.generation
    if (!isOfGeneration || acceptedUntil(id) <= now) continue
    if (now - since < DEFAULT_TIMES.holdMs) fail('I4', `called dead while ${id} is on its way`)
    else counts.deadBeyondHold++
  }
}
