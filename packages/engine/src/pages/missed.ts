import { MINUTE, type Page } from '@tokenkeeper/core'
import type { EngineDeps } from '../deps.ts'
import { type PageFetch, wasListedLater } from './page-fetch.ts'
import { logPages, tellNews } from './tell.ts'
import { openToken, type Witness } from './witness.ts'

/** Listings of healthy users come out short now and then: one alone says nothing (php-graph-sdk#1120). */
const ENOUGH_MISSES = 2
/** Two listings that miss a Page count as two if they lie this far apart (ms); workers may list at once. */
const APART_MS = 30 * MINUTE

/**
 * A stored Page that a complete listing does not hold. `missed`: another listing is wanted. `known`: nothing new. It is
 * lost as soon as its own token is refused for its sake, and missing once two listings lack it; it is never deleted.
 */
export async function weighMissed(
  deps: EngineDeps,
  fetch: PageFetch,
  page: Page,
  witness: Witness,
): Promise<'known' | 'missed' | 'missing' | 'lost'> {
  const isSettled = page.status === 'missing' || page.status === 'lost'
  if (isSettled || wasListedLater(page, fetch)) return 'known'
  if (page.lastMissedAt !== null && fetch.listedAt < page.lastMissedAt + APART_MS) return 'missed'
  const answer = await witness(page)
  if (answer === 'not_asked') return 'missed'
  const found = afterMiss(page, fetch.listedAt, answer === 'lost')
  const { status } = found
  if (status === 'lost') await tellLost(deps, fetch, page, found)
  if (status === 'missing') await tellNews(deps, fetch, 'page.missing', [{ from: page, to: found }])
  // Not if it was listed, re-sealed or weighed by somebody else meanwhile; the next listing sees what stands.
  const landed = await deps.store.pages.update([{ from: page, to: found }])
  return landed.has(page.id) && (status === 'missing' || status === 'lost') ? status : 'missed'
}

async function tellLost(deps: EngineDeps, fetch: PageFetch, from: Page, to: Page): Promise<void> {
  const token = openToken(deps, from)
  await logPages(deps, fetch, 'failed', token === null ? [] : [{ page: to, token }])
  await tellNews(deps, fetch, 'page.lost', [{ from, to }])
}

function afterMiss(page: Page, lastMissedAt: number, isLost: boolean): Page {
  const missed = { ...page, missingCount: page.missingCount + 1, lastMissedAt }
  if (isLost) return { ...missed, status: 'lost', statusReason: 'META_PAGE_LOST' }
  if (missed.missingCount < ENOUGH_MISSES) return missed
  return { ...missed, status: 'missing', statusReason: 'META_PAGE_MISSING' }
}
