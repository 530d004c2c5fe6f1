import { type Account, type Credential, SECOND } from '@tokenkeeper/core'
import type { Refreshed } from '@tokenkeeper/providers'
import type { Process, SpooledResult } from '../fleet/machine.ts'
import type { Task } from '../fleet/task.ts'
import type { About } from '../store/database.ts'
import type { World } from '../world.ts'
import { type AccountState, createAccountState } from './account-state.ts'
import { type Cause, createKeeping } from './keeping.ts'
import { type Copy, createLedger } from './ledger.ts'
import { checkDead, checkNewer } from './verdicts.ts'

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6'

export interface Violation {
  /** Or that a schedule ended with an error of its own. */
  readonly invariant: Invariant | 'the simulation'
  readonly what: string
}

export type Fail = (invariant: Violation['invariant'], what: string) => void

export interface Counts {
  refreshes: number
  /** Presentations that I2 allows. */
  latePresentations: number
  witnesses: number
  /** Deaths with no other fault, of a worker at a refresh, after which the token was presented again in time. */
  recoveries: number
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
  /** Those outside changed what is accepted or kept, or time did. */
  changedOutside(what: string): void
  readonly fail: Fail
  /** Whether some credential of the account is accepted now. */
  isRecoverable(accountId: string): boolean
  state(accountId: string): AccountState | undefined
}

const PRESENT_AGAIN_WITHIN_MS = 20 * SECOND

export function createChecker(getWorld: () => World): Checker {
  const states = new Map<string, AccountState>()
  /** The writes that brought the logins, by connect id. */
  const logins = new Map<string, string>()
  const violations: Violation[] = []
  const counts: Counts = {
    refreshes: 0,
    latePresentations: 0,
    witnesses: 0,
    recoveries: 0,
    deadBeyondHold: 0,
    lost: 0,
  }
  const now = () => getWorld().scheduler.now()
  const fail: Fail = (invariant, what) => {
    violations.push({ invariant, what })
    getWorld().trace(() => `VIOLATION of ${invariant}: ${what}`)
  }
  const ledger = createLedger(getWorld)
  const keeping = createKeeping(getWorld, ledger, fail)

  function recheckAll(cause: Cause): void {
    for (const state of states.values()) keeping.recheck(state, cause)
  }

  function dropCopies(chosen: (copy: Copy) => boolean): Copy[] {
    const dropped = [...ledger.copies].filter(chosen)
    for (const copy of dropped) ledger.copies.delete(copy)
    return dropped
  }

  function begin(state: AccountState, { attempt, generation, ...rest }: Account): void {
    if (attempt === null || state.begun.has(attempt.id)) return
    const [current, previous = null] = ledger.storedIds(state, { attempt, generation, ...rest })
    state.begun.set(attempt.id, { generation, current: current!, previous })
  }

  return {
    violations,
    counts,
    fail,
    state: (accountId) => states.get(accountId),
    isRecoverable: (accountId) => ledger.acceptedUntil(states.get(accountId)!) > now(),

    changed(about, before, after) {
      const { id } = (after ?? before)!
      // A write may land however late; what matters is that it does not stay.
      const comesBack = after && !before && states.has(id)
      const state = states.get(id) ?? createAccountState((after ?? before)!)
      state.cameBackBy = comesBack ? about.name : after ? state.cameBackBy : null
      states.set(id, state)
      // Its last write was under way when it died.
      if (!after?.attempt) state.presentBy = null
      if (after && after.connectId !== before?.connectId) {
        const first = logins.get(after.connectId)
        if (first && before) fail('I3', `${about.name} brought a login back that had been overtaken`)
        logins.set(after.connectId, first ?? about.name)
      }
      if (after && after.status !== 'removing') {
        begin(state, after)
        if (before?.status === 'removing') fail('I3', `${about.name} brought an account back that is being removed`)
        else if (before && before.sealedCredential !== after.sealedCredential) {
          checkNewer(ledger, fail, state, about, before, after)
          if (after.lastAttempt?.outcome === 'refreshed') state.committed.add(after.lastAttempt.id)
          if (about.name === 'commit') counts.refreshes++
        }
        const isGivenUp = after.status === 'needs_reconnect' && before?.status !== 'needs_reconnect'
        // A verdict on a paused account leaves the status as it is.
        if (isGivenUp || about.name === 'dead') checkDead(ledger, fail, counts, state, after, now())
      }
      const isAsBefore =
        before?.sealedCredential === after?.sealedCredential && before?.previousCredential === after?.previousCredential
      // A login that is over already was ended by others.
      if (!isAsBefore) keeping.recheck(state, { ours: about.name !== 'reconnect', what: `${about.name} was written` })
    },

    presents(task, accountId, credential) {
      const state = states.get(accountId)!
      const id = ledger.lineage(state).idOf(credential)
      const begun = state.begun.get(task.attemptId ?? '')
      const isFirst = task.presented.length === 0
      const isRepeated = task.presented.includes(id)
      task.presented.push(id)
      getWorld().trace(() => `${task.name}: presents ${id}`)
      if (state.presentBy !== null) {
        if (now() > state.presentBy) fail('I6', 'more than 20 s from a death to the next presentation')
        counts.recoveries++
        state.presentBy = null
      }
      if (!begun) fail('I2', `${id} was presented by an attempt that has not begun`)
      else if (id === begun.current) {
        const account = ledger.account(state)
        const isCurrent = account?.sealedCredential && ledger.idIn(state, account.sealedCredential) === id
        if (!isCurrent) counts.latePresentations++
      } else if (!isFirst && id === begun.previous) {
        counts.witnesses++
        if (isRepeated) fail('I2', `${id} was asked twice as a witness by one attempt`)
      } else fail('I2', `${id} was presented, but ${begun.current} stood there when the attempt began`)
    },

    answered(task, accountId, { credential }) {
      const state = states.get(accountId)!
      const copy: Copy = { accountId, id: ledger.lineage(state).idOf(credential), task, since: now() }
      if (task.process.alive) ledger.copies.add(copy)
      keeping.recheck(state, { ours: false, what: 'nobody was there to hear the answer' })
      return () => {
        ledger.copies.delete(copy)
        keeping.recheck(state, { ours: false, what: 'the answer got lost' })
      }
    },

    taskEnded(task) {
      for (const { accountId, id } of dropCopies((copy) => copy.task === task)) {
        keeping.dropped(states.get(accountId)!, id, task.attemptId, `${task.name} dropped`)
      }
    },

    processDied(process) {
      dropCopies(({ task }) => task.process === process)
      recheckAll({ ours: false, what: `${process.name} died` })
      if (!getWorld().plan.lonelyDeath || process.kind !== 'worker') return
      for (const state of states.values()) {
        const attempt = ledger.account(state)?.attempt
        if (attempt?.workerId === process.name) state.presentBy = now() + PRESENT_AGAIN_WITHIN_MS
      }
    },

    erased({ accountId, sealed, attempt }) {
      const state = states.get(accountId)
      if (state) keeping.dropped(state, ledger.idIn(state, sealed), attempt.id, 'a spool was rid of')
    },

    changedOutside: (what) => recheckAll({ ours: false, what }),
  }
}
