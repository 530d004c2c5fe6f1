import type { Account, AuditEntry } from '@tokenkeeper/core'
import type { RefreshResult } from '../result.ts'

/**
 * What has become of credentials, for a restore: last night's backup does not know what was refreshed since. Holds what
 * the store holds: secrets are sealed.
 */
export type JournalRecord =
  /** A successor that the store has taken; `result.generation` is the one that it was written over. */
  | { readonly kind: 'refreshed'; readonly result: RefreshResult }
  /** A login that the store has taken: the account as it stood then. */
  | { readonly kind: 'connected'; readonly account: Account }
  /** The removal of an account, as it was noted. */
  | { readonly kind: 'removed'; readonly audit: AuditEntry }

/** Local and append-only: one file a process and day (UTC). Whoever appends has its write in the store already. */
export interface Journal extends AsyncDisposable {
  /** Returns at once and never throws: the record is written soon, with others. What cannot be written is logged. */
  append(record: JournalRecord): void
  /** Deletes files that are older than is wanted, of any process. Resolves with how many. */
  prune(): Promise<number>
}
