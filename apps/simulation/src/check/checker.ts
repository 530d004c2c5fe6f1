import type { Account, Credential } from '@tokenkeeper/core'
import { DEFAULT_TIMES } from '@tokenkeeper/engine'
import type { Refreshed } from '@tokenkeeper/providers'
import type { Process, SpooledResult } from '../fleet/machine.ts'
import { spooledResults } from '../fleet/memory-spool.ts'
import type { Task } from '../fleet/task.ts'
import type { About } from '../store/database.ts'
import type { World } from '../world.ts'
import { type AccountState, createAccountState, credentialIn } from './account-state.ts'

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6'

export interface Violation {
  readonly invariant: Invariant
  readonly what: string
}

export interface Counts {
  refreshes: number
  latePresentations: number
  witnesses: number
  /** Dead verdicts while the only successor was away for longer than the hold. */
  deadBeyondHold: number
  /** Accounts that nothing could have saved. */
  lost: number
}

/** Watches all that happens in a schedule, from where everything can be seen, and tells the invariants that it breaks. */
export interface Checker {
  readonly violations: readonly Violation[]
  readonly counts: Counts
  /** A change of an account became durable. */
  changed(about: About, before: Account | null, after: Account | null): void
  /** A token is about to be sent. */
  presents(task: Task, accountId: string, credential: Credential): void
  /** The provider has answered. Returns how to tell that the answer got lost on the way. */
  answered(task: Task, accountId: string, answer: Refreshed): () => void
  /** What it has in memory is gone, as intended. */
  taskEnded(task: Task): void
  processDied(process: Process): void
  erased(result: SpooledResult): void
  /** Something that is not ours to prevent changed what the providers accept, or what is on disks. */
  changedOutside(why: string): void
  /** Nothing happened for a while. */
  timePassed(): void
  broke(what: string): void
  fail(invariant: Invariant, what: string): void
  /** Whether some credential of the account is accepted now. */
  isRecoverable(accountId: string): boolean
  state(accountId: string): AccountState | undefined
}

/** An answer in a process, or on its way to it. */
interface Copy {
  readonly accountId: string
  readonly id: string
  readonly task: Task
  readonly since: number
}

/** A recovery is not delayed beyond this before the end of the grace: what is accepted that long must be saved (ms). */
const MARGIN_MS = DEFAULT_TIMES.graceMarginMs
/** A lifetime told in seconds gives the same end a moment earlier each time. */
const SAME_END_MS = 60_000
const PRESENT_AGAIN_WITHIN_MS = 20_000

export function createChecker(getWorld: () => World): Checker {
  const states = new Map<string, AccountState>()
  const copies = new Set<Copy>()
  /** What is sealed never changes, and is asked for at every step. */
  const ids = new Map<string, string>()
  const violations: Violation[] = []
  const counts: Counts = { refreshes: 0, latePresentations: 0, witnesses: 0, deadBeyondHold: 0, lost: 0 }
  const now = () => getWorld().scheduler.now()
  const lineageOf = ({ kind }: Pick<AccountState, 'kind'>) => getWorld().providers[kind].lineage
  const standing = (id: string) => getWorld().database.majority.accounts.get(id) ?? null

  function fail(invariant: Invariant, what: string): void {
    violations.push({ invariant, what })
    getWorld().trace(() => `VIOLATION of ${invariant}: ${what}`)
  }

  /** The id of what is sealed. */
  function idIn(state: AccountState, sealed: string): string {
    const known = ids.get(sealed)
    if (known !== undefined) return known
    const id = lineageOf(state).idOf(credentialIn(sealed))
    ids.set(sealed, id)
    return id
  }

  function spooledIds(state: AccountState): string[] {
    return spooledResults(getWorld()).flatMap(({ accountId, sealed }) =>
      accountId === state.id ? [idIn(state, sealed)] : [],
    )
  }

  function storedIds(state: AccountState, account: Account): string[] {
    const { sealedCredential, previousCredential } = account
    return [sealedCredential, previousCredential].flatMap((sealed) => (sealed ? [idIn(state, sealed)] : []))
  }

  function recoverableUntil(state: AccountState): number {
    const account = standing(state.id)
    const inMemory = [...copies].flatMap(({ accountId, id }) => (accountId === state.id ? [id] : []))
    const ids = [...(account ? storedIds(state, account) : []), ...spooledIds(state), ...inMemory]
    return Math.max(Number.NEGATIVE_INFINITY, ...ids.map(lineageOf(state).acceptedUntil))
  }

  /** I1: whether some credential of the account is still accepted, and if not, whose doing that is. */
  function recheck(state: AccountState, cause: { readonly ours: boolean; readonly what: string }): void {
    const account = standing(state.id)
    const before = state.recoverableUntil
    state.recoverableUntil = recoverableUntil(state)
    if (account === null || account.status === 'removing') return
    if (state.recoverableUntil > now()) {
      state.lost = null
      return
    }
    if (state.lost !== null) return
    if (before === Number.NEGATIVE_INFINITY) {
      state.lost = 'it was over before it was stored'
      return
    }
    counts.lost++
    if (before <= now()) {
      lapsed(state, before)
    } else if (cause.ours) {
      state.lost = cause.what
      fail('I1', `${cause.what}, and with it went the last credential that is accepted`)
    } else if (state.replaced !== null && lineageOf(state).acceptedUntil(state.replaced) > now()) {
      state.lost = cause.what
      fail('I1', `${cause.what}; the previous credential would be accepted, but was not kept`)
    } else state.lost = cause.what
  }

  function lapsed(state: AccountState, at: number): void {
    state.lost = 'the last credential expired'
    const { faults } = getWorld()
    // A provider that forgets what it answered may leave two successors of one token, of which one is forgotten too.
    if (faults.wasTrouble(at - MARGIN_MS, at) || faults.struck.includes('provider.restored')) return
    if (state.kind === 'grace') fail('I1', 'the last credential expired, and nothing was in the way of saving it')
  }

  function recheckAll(cause: { readonly ours: boolean; readonly what: string }): void {
    for (const state of states.values()) recheck(state, cause)
  }

  /** An answer is thrown away: only if the store has something as new, or the account is gone. */
  function mayDrop(state: AccountState, id: string, attemptId: string | null): boolean {
    const account = standing(state.id)
    const begun = state.begun.get(attemptId ?? '')
    if (account === null || account.status === 'removing' || begun === undefined) return true
    const lineage = lineageOf(state)
    const current = idIn(state, account.sealedCredential)
    if (current !== begun.current || lineage.orderOf(id) <= lineage.orderOf(current)) return true
    // A token that is extended may keep its text; and one that ends sooner is not wanted.
    if (state.kind === 'extend' && account.generation > begun.generation) return true
    if (state.kind === 'extend' && lineage.acceptedUntil(id) <= lineage.acceptedUntil(current) + SAME_END_MS)
      return true
    return spooledIds(state).includes(id)
  }

  /** The user has not logged in anew since; else what came before is not wanted any more. */
  function isOfStoredLogin(state: AccountState, id: string): boolean {
    const account = standing(state.id)
    if (account === null || account.status === 'removing') return false
    const lineage = lineageOf(state)
    return lineage.loginOf(id) === lineage.loginOf(idIn(state, account.sealedCredential))
  }

  function dropCopies(chosen: (copy: Copy) => boolean): void {
    for (const copy of copies) if (chosen(copy)) copies.delete(copy)
  }

  function checkNewer(state: AccountState, about: About, before: Account, after: Account): void {
    const lineage = lineageOf(state)
    const [older, newer] = [idIn(state, before.sealedCredential), idIn(state, after.sealedCredential)]
    if (older === newer) {
      const resealed = before.generation === after.generation
      if (!resealed && state.kind === 'grace') fail('I3', `${about.name} stored ${newer} as its own successor`)
      return
    }
    state.replaced = about.name === 'reconnect' ? null : older
    const sameLogin = lineage.loginOf(newer) === lineage.loginOf(older)
    // Tokens that are extended work side by side: one that was issued before is no step back if it ends later.
    const endsLater = state.kind === 'extend' && (after.diesAt ?? 0) >= (before.diesAt ?? 0) - SAME_END_MS
    const isNewer = lineage.orderOf(newer) > lineage.orderOf(older) || (sameLogin && endsLater)
    if (!isNewer && (sameLogin || about.name !== 'reconnect')) {
      fail('I3', `${about.name} overwrote ${older} with the older ${newer}`)
    }
  }

  /** I4: no dead verdict while some credential is accepted, but where its only place is away for longer than the hold. */
  function checkDead(state: AccountState, account: Account): void {
    const lineage = lineageOf(state)
    const accepted = (id: string) => lineage.acceptedUntil(id) > now()
    const stored = storedIds(state, account).filter(accepted)
    if (stored.length > 0) fail('I4', `called dead while ${stored} in the store is accepted`)
    // Where the outcome of an earlier generation went, is not known to anybody any more; its replay still revives.
    const isOfGeneration = (attemptId: string | null) =>
      state.begun.get(attemptId ?? '')?.generation === account.generation
    const elsewhere = [
      ...spooledResults(getWorld())
        .filter(({ accountId, attempt }) => accountId === state.id && isOfGeneration(attempt.id))
        .map(({ sealed, answeredAt }) => ({ id: idIn(state, sealed), since: answeredAt })),
      ...[...copies].filter(({ accountId, task }) => accountId === state.id && isOfGeneration(task.attemptId)),
    ].filter(({ id }) => accepted(id))
    for (const { id, since } of elsewhere) {
      if (now() - since < DEFAULT_TIMES.holdMs) fail('I4', `called dead while ${id} is on its way`)
      else counts.deadBeyondHold++
    }
  }

  return {
    violations,
    counts,
    fail,
    state: (accountId) => states.get(accountId),
    isRecoverable: (accountId) => recoverableUntil(states.get(accountId)!) > now(),

    changed(about, before, after) {
      const { id } = (after ?? before)!
      let state = states.get(id)
      if (after && !before) {
        if (state) return fail('I3', `${about.name} brought a removed account back`)
        state = createAccountState(after)
        states.set(id, state)
      }
      if (!state) return
      if (before?.status === 'removing' && after && (after.status !== 'removing' || after.sealedCredential !== '')) {
        fail('I3', `${about.name} brought an account back that is being removed`)
      }
      if (after && after.status !== 'removing') {
        const { attempt } = after
        if (attempt && attempt.id !== before?.attempt?.id && !state.begun.has(attempt.id)) {
          const [current, previous = null] = storedIds(state, after)
          state.begun.set(attempt.id, { generation: after.generation, current: current!, previous })
        }
        if (attempt?.id !== before?.attempt?.id) state.presentBy = null
        if (before && before.status !== 'removing' && before.sealedCredential !== after.sealedCredential) {
          checkNewer(state, about, before, after)
          if (after.lastAttempt?.outcome === 'refreshed') state.committed.add(after.lastAttempt.id)
          if (about.name === 'commit') counts.refreshes++
        }
        if (after.status === 'needs_reconnect' && before?.status !== 'needs_reconnect') checkDead(state, after)
      }
      const isAsBefore =
        before?.sealedCredential === after?.sealedCredential && before?.previousCredential === after?.previousCredential
      if (isAsBefore) return
      // A login that is over already was ended by others.
      recheck(state, { ours: about.name !== 'reconnect', what: `${about.name} was written` })
    },

    presents(task, accountId, credential) {
      const state = states.get(accountId)
      if (!state) return
      const id = lineageOf(state).idOf(credential)
      const begun = state.begun.get(task.attemptId ?? '')
      const account = standing(accountId)
      const isFirst = task.presented.length === 0
      task.presented.push(id)
      getWorld().trace(() => `${task.name}: presents ${id}`)
      if (state.presentBy !== null) {
        if (now() > state.presentBy) fail('I6', 'more than 20 s from a death to the next presentation')
        state.presentBy = null
      }
      if (!begun) return fail('I2', `${id} was presented by an attempt that has not begun`)
      if (id === begun.current) {
        const stillStored = account?.sealedCredential && idIn(state, account.sealedCredential) === id
        if (!stillStored) counts.latePresentations++
      } else if (!isFirst && id === begun.previous) counts.witnesses++
      else fail('I2', `${id} was presented, but ${begun.current} stood there when the attempt began`)
    },

    answered(task, accountId, { credential }) {
      const state = states.get(accountId)
      if (!state) return () => {}
      const copy: Copy = { accountId, id: lineageOf(state).idOf(credential), task, since: now() }
      if (task.process.alive) copies.add(copy)
      recheck(state, { ours: false, what: 'the answer did not arrive' })
      return () => {
        copies.delete(copy)
        recheck(state, { ours: false, what: 'the answer got lost' })
      }
    },

    taskEnded(task) {
      const held = [...copies].filter((copy) => copy.task === task)
      if (held.length === 0) return
      dropCopies((copy) => copy.task === task)
      for (const { accountId, id } of held) {
        const state = states.get(accountId)!
        if (!mayDrop(state, id, task.attemptId)) fail('I1', `${task.name} dropped ${id}, which is nowhere else`)
        recheck(state, { ours: isOfStoredLogin(state, id), what: `${task.name} ended` })
      }
    },

    processDied(process) {
      dropCopies(({ task }) => task.process === process)
      recheckAll({ ours: false, what: `${process.name} died` })
      if (!getWorld().plan.lonelyDeath || process.kind !== 'worker') return
      for (const state of states.values()) {
        const attempt = standing(state.id)?.attempt
        if (attempt?.workerId === process.name) state.presentBy = now() + PRESENT_AGAIN_WITHIN_MS
      }
    },

    erased(result) {
      const state = states.get(result.accountId)
      if (!state) return
      const id = idIn(state, result.sealed)
      if (!mayDrop(state, id, result.attempt.id)) fail('I1', `${id} was erased from a spool and is nowhere else`)
      recheck(state, { ours: isOfStoredLogin(state, id), what: 'a spooled answer was erased' })
    },

    changedOutside: (what) => recheckAll({ ours: false, what }),
    timePassed: () => recheckAll({ ours: false, what: 'time passed' }),
    broke: (what) => fail('I6', what),
  }
}
