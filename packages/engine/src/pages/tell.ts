import {
  type Account,
  ERRORS,
  type ErrorCode,
  idFrom,
  type Page,
  type RefreshLogEntry,
  tokenDigest,
} from '@tokenkeeper/core'
import type { EngineDeps } from '../deps.ts'
import type { PageFetch } from './page-fetch.ts'

type Event = 'page.needs_permission' | 'page.missing' | 'page.lost'

/**
 * That Pages have come into another state. Told before that is written, under ids made of how each stood until then:
 * nothing that a death comes after is lost, and whoever does it again tells the same.
 */
export async function tellNews(
  { store }: EngineDeps,
  fetch: PageFetch,
  type: Event,
  pages: readonly { readonly from: Page | null; readonly to: Page }[],
): Promise<void> {
  const { account, listedAt } = fetch
  const events = pages.map(({ from, to }) => ({
    id: idFrom(to.id, type, String(from?.refreshedAt ?? null)),
    accountId: account.id,
    type,
    reason: `${to.statusReason} ${to.externalId}`,
    at: listedAt,
  }))
  if (events.length > 0) await store.events.insert(events)
}

/**
 * That no Pages are listed until the user sees to it. Once for a token and reason, however often it is refused, and
 * also if telling it is all that was done.
 */
export async function tellRefused(
  { store }: EngineDeps,
  { account, listedAt }: PageFetch,
  reason: ErrorCode,
): Promise<void> {
  const { id: accountId, generation } = account
  const type = 'pages.refused'
  await store.events.insert([
    { id: idFrom(accountId, type, String(generation), reason), accountId, type, reason, at: listedAt },
  ])
}

/** What became of Pages' tokens, one entry for each Page and attempt: done again, it doubles nothing. */
export async function logPages(
  deps: EngineDeps,
  fetch: PageFetch,
  outcome: 'refreshed' | 'failed',
  pages: readonly { readonly page: Page; readonly token: string }[],
): Promise<void> {
  if (pages.length > 0) await deps.store.log.put(pages.map((one) => logOf(deps, fetch, outcome, one)))
}

function logOf(
  { clock, workerId }: EngineDeps,
  { account, listedAt, refreshType }: PageFetch,
  outcome: 'refreshed' | 'failed',
  { page, token }: { readonly page: Page; readonly token: string },
): RefreshLogEntry {
  const code = outcome === 'failed' ? 'META_PAGE_LOST' : null
  return {
    id: `${attemptOf(account)}:${page.id}`,
    accountId: account.id,
    pageId: page.id,
    refreshType,
    outcome,
    success: outcome === 'refreshed',
    errorClass: code && 'dead',
    errorCode: code,
    errorMessage: code && ERRORS[code],
    oldExpiresAt: null,
    newExpiresAt: null,
    extension: null,
    generation: account.generation,
    tokenDigest: tokenDigest(token),
    durationMs: Math.max(0, clock.now() - listedAt),
    workerId,
    refreshedAt: listedAt,
  }
}

/** What gave the account the token that listed the Pages, or was last tried with it: an attempt, or the connect. */
function attemptOf({ connectId, generation, lastAttempt }: Account): string {
  if (lastAttempt === null) return connectId
  const stands = lastAttempt.generation + (lastAttempt.outcome === 'refreshed' ? 1 : 0)
  return stands === generation ? lastAttempt.id : connectId
}
