import type { RefreshResult } from '../result.ts'

/**
 * Answers that the store could not take yet, sealed, on local disk: durable when `put` resolves. One file a process,
 * locked while the process lives (also while it is stopped), so that a sibling that can lock it knows its owner dead.
 */
export interface Spool extends Disposable {
  /** Throws CodedError SPOOL_UNAVAILABLE if an answer could not be spooled now. */
  check(): void
  /** Rejects with CodedError SPOOL_UNAVAILABLE. */
  put(result: RefreshResult): Promise<void>
  /** Never throws: a record that could not be erased is found landed by the next replay. */
  erase(attemptId: string): void
  /** Answers of this process that are still spooled. */
  own(): readonly RefreshResult[]
  /** Opens the spools of dead siblings, one after another; each is locked while it is looked at. */
  orphans(): Iterable<OrphanSpool>
}

export interface SpoolContent {
  readonly results: readonly RefreshResult[]
  /**
   * What is there and cannot be read: the attempt ids of single records (damaged, or of a newer version), or the name of
   * a damaged file. It stays where it is.
   */
  readonly unreadable: readonly string[]
}

export interface OrphanSpool extends SpoolContent {
  erase(attemptId: string): void
}
