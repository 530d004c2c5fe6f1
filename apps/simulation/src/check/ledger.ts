import type { Account } from '@tokenkeeper/core'
import type { SpooledResult } from '../fleet/machine.ts'
import { spooledResults } from '../fleet/memory-spool.ts'
import type { Task } from '../fleet/task.ts'
import type { Lineage } from '../providers/model.ts'
import type { World } from '../world.ts'
import { type AccountState, credentialIn } from './account-state.ts'

/** An answer in a process, or on its way to it. */
export interface Copy {
  readonly accountId: string
  /** Of the credential. */
  readonly id: string
  readonly task: Task
  /** When the provider gave it (ms since the epoch). */
  readonly since: number
}

/** Where the credentials of an account are, and which of them the provider accepts. */
export interface Ledger {
  readonly copies: Set<Copy>
  /** As a majority holds it. */
  account(state: AccountState): Account | null
  lineage(state: AccountState): Lineage
  /** The id of what is sealed. */
  idIn(state: AccountState, sealed: string): string
  /** The current credential and the previous one. */
  storedIds(state: AccountState, account: Account): string[]
  /** On disks that are not lost. */
  spooled(state: AccountState): SpooledResult[]
  /** Until when some credential of it is accepted, wherever it is (ms since the epoch); -Infinity if none is. */
  acceptedUntil(state: AccountState): number
}

export function createLedger(getWorld: () => World): Ledger {
  const copies = new Set<Copy>()
  /** What is sealed never changes, and is asked for at every step. */
  const ids = new Map<string, string>()

  const ledger: Ledger = {
    copies,
    account: ({ id }) => getWorld().database.majority.accounts.get(id) ?? null,
    lineage: ({ kind }) => getWorld().providers[kind].lineage,
    idIn(state, sealed) {
      const known = ids.get(sealed)
      if (known !== undefined) return known
      const id = ledger.lineage(state).idOf(credentialIn(sealed))
      ids.set(sealed, id)
      return id
    },
    storedIds: (state, { sealedCredential, previousCredential }) =>
      [sealedCredential, previousCredential].flatMap((sealed) => (sealed ? [ledger.idIn(state, sealed)] : [])),
    spooled: ({ id }) => spooledResults(getWorld()).filter(({ accountId }) => accountId === id),
    acceptedUntil(state) {
      const account = ledger.account(state)
      const inStore = account ? ledger.storedIds(state, account) : []
      const inSpools = ledger.spooled(state).map(({ sealed }) => ledger.idIn(state, sealed))
      const inMemory = [...copies].flatMap(({ accountId, id }) => (accountId === state.id ? [id] : []))
      const ends = [...inStore, ...inSpools, ...inMemory].map(ledger.lineage(state).acceptedUntil)
      return Math.max(Number.NEGATIVE_INFINITY, ...ends)
    },
  }
  return ledger
}
