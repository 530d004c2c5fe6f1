import { type Account, type ErrorCode, endsSoon, MINUTE, nextDueAt } from '@tokenkeeper/core'
import type { Provider, Refreshed } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'
import type { Flight } from './flight.ts'
import { pagesOf } from './pages/page-fetch.ts'

/** Who refreshes fetches the Pages too, at once; the sweep comes after this for those whose process died between. */
const PAGES_AFTER_MS = 2 * MINUTE

type DueAccount = Pick<Account, 'id' | 'diesAt' | 'dataAccessExpiresAt' | 'connectedAt' | 'lastRefreshedAt'>

/** When an account falls due that was connected or refreshed at `at` (ms): never before its provider takes the token. */
export function dueAt({ due }: Pick<EngineDeps, 'due'>, provider: Provider, account: DueAccount, at: number): number {
  return Math.max(nextDueAt({ ...account, kind: provider.kind }, at, due), earliestAt(provider, account))
}

/** Before this (ms) the provider refuses to refresh. */
export function earliestAt(provider: Provider, account: Pick<Account, 'connectedAt' | 'lastRefreshedAt'>): number {
  return provider.kind === 'extend' ? (provider.earliestRefreshAt?.(account) ?? 0) : 0
}

/** When Pages are to be fetched with a token of `at` (ms); undefined where accounts have none. */
export function pagesDueAt(provider: Provider, at: number): number | undefined {
  return pagesOf(provider) ? at + PAGES_AFTER_MS : undefined
}

/** Codes that stand beside a healthy account whose user should connect again before an end that no refresh moves. */
const WARNINGS = ['TOKEN_NOT_EXTENDED', 'DATA_ACCESS_ENDING'] as const satisfies readonly ErrorCode[]

export function isWarning(note: string | null): boolean {
  return WARNINGS.some((warning) => warning === note)
}

/** What an answer warns of; null if there is nothing, or if there is still time. */
export function warningOf(
  { due }: Pick<EngineDeps, 'due'>,
  { account }: Flight,
  answer: Refreshed,
  at: number,
): (typeof WARNINGS)[number] | null {
  const { diesAt, extension, dataAccessExpiresAt = account.dataAccessExpiresAt } = answer
  if (extension === 'same_expiry' && diesAt !== null && endsSoon(diesAt, at, due)) return 'TOKEN_NOT_EXTENDED'
  if (dataAccessExpiresAt !== null && endsSoon(dataAccessExpiresAt, at, due)) return 'DATA_ACCESS_ENDING'
  return null
}
