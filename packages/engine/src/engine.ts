import type { Account, Halt, Platform } from '@tokenkeeper/core'
import type { FreshLogin } from '@tokenkeeper/providers'
import type { AccountImport, ImportOutcome } from './import-accounts.ts'
import type { JournalCounts, RestoreProgress } from './journal/restore-journal.ts'
import type { RefreshOptions, RefreshOutcome } from './outcome.ts'
import type { PagesOutcome } from './pages/pages-outcome.ts'

/** The one piece of code that spends a token. See docs/protocol.md. */
export interface Engine extends AsyncDisposable {
  /** Never rejects for a provider's, the store's or Redis's sake: the outcome tells. */
  refreshAccount(accountId: string, options: RefreshOptions): Promise<RefreshOutcome>
  /** Fetches the account's Pages with their tokens, if they are due. Safe to repeat, by anyone; never rejects. */
  fetchPages(accountId: string): Promise<PagesOutcome>
  /** Stores a fresh login: a new account, or a reconnect of the one with the same login. */
  connectAccount(login: FreshLogin, options: ConnectOptions): Promise<Account>
  /** Stores logins that another app has kept, unless they are there already; never over anything. See importAccounts. */
  importAccounts(imports: readonly AccountImport[], actor: string): Promise<readonly ImportOutcome[]>
  /** Marks, logs out at the provider, relays and deletes. Safe to repeat. */
  removeAccount(accountId: string, actor: string): Promise<void>
  pauseAccount(accountId: string, actor: string): Promise<Account>
  resumeAccount(accountId: string, actor: string): Promise<Account>
  /** Seals credentials and Page tokens with the current key; false if nothing was to do, or newer writes were faster. */
  resealAccount(accountId: string): Promise<boolean>
  /**
   * Copies what the account's writes told into log, events and audit; an account whose insert arrived after its removal is
   * removed again. Safe to repeat, by anyone.
   */
  relayAccount(accountId: string): Promise<void>
  /**
   * Removes Pages and log of accounts that are gone, among some hundred Pages after this id. Resolves with the id after
   * which to go on, null at the end. Safe to repeat, by anyone.
   */
  removeOrphanPages(afterId: string | null): Promise<string | null>
  /** Writes results that a dead process, or this one while the store was away, left in spools. Returns how many landed. */
  replaySpools(): Promise<number>
  /**
   * Restore: brings the store up to what the journals in these directories know, after a backup was put in its place. With
   * the fleet stopped, and after all spools. Reads the records in a stream, in any order; doing it again changes nothing.
   */
  restoreFromJournal(dirs: readonly string[], onProgress?: RestoreProgress): Promise<JournalCounts>
  /** Deletes journal files that are older than is wanted. Safe for all to do. Resolves with how many went. */
  pruneJournal(): Promise<number>
  /**
   * Finds out, for each halt whose time has come, whether our app is accepted again, where that can be asked without an
   * account. Safe for many to do at once: one of them asks. Returns how many halts have ended.
   */
  probeHalts(): Promise<number>
  /** Ends the halts of a platform, of one app or of all, and returns them. Rejects with HALT_NOT_FOUND. */
  endHalts(platform: Platform, providerAppId: string | undefined, actor: string): Promise<readonly Halt[]>
  /**
   * Resolves when no refresh is at work. Listings of Pages, which anyone may repeat, and late answers still read from
   * sockets are not waited for.
   */
  settle(): Promise<void>
}

export interface ConnectOptions {
  readonly ownerId: string
  readonly actor: string
  readonly ownerEmail?: string
  /** Kept sealed for recovery, only because the user asked for that. */
  readonly appPassword?: string
}
