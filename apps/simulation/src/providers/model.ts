import type { Credential } from '@tokenkeeper/core'
import type { Refreshed } from '@tokenkeeper/providers'

/** What a provider does, in virtual time, behind its network. */
export interface ProviderModel {
  login(externalId: string): Refreshed
  /** Carries a refresh out; null if the token is dead. */
  refresh(credential: Credential): Refreshed | null
  logout(credential: Credential): void
  /** The user changes the password: no credential works any more. */
  revokeAll(externalId: string): void
  /** Back to how all was before the last session was issued. Absent: no such provider is known. */
  restoreBackup?(): void
  readonly lineage: Lineage
}

/** Knows all credentials that were ever issued; sees what nobody can see from outside. */
export interface Lineage {
  /** The same for all texts of one credential. */
  idOf(credential: Credential): string
  /** Until when the provider accepts it if nothing happens to it (ms since the epoch); -Infinity if it does not. */
  acceptedUntil(id: string): number
  /** Of two credentials the one that was issued later has the higher number. */
  orderOf(id: string): number
  /** Which login it comes from. */
  loginOf(id: string): number
  /** Whether it came back from a backup without the user's last credential. */
  hasForgotten(externalId: string): boolean
}
