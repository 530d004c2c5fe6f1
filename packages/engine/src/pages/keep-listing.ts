import { CodedError, type Page, pageIdOf } from '@tokenkeeper/core'
import type { ListedPage, PageListing } from '@tokenkeeper/providers'
import type { EngineDeps } from '../deps.ts'
import { weighMissed } from './missed.ts'
import { ownToken, type PageFetch, wasListedLater } from './page-fetch.ts'
import type { PageCounts } from './pages-outcome.ts'
import { CHUNK, storedPages } from './stored-pages.ts'
import { logPages, tellNews } from './tell.ts'
import { createWitness } from './witness.ts'

/** A Page as listed, and as it is stored. */
interface Found {
  readonly id: string
  readonly listed: ListedPage
  readonly stored: Page | null
}

/** With the Page that is to be. */
type Made = Found & { readonly page: Page }

/** Stores what was listed; of a complete listing, also what follows from what was not. May be done again. */
export async function keepListing(deps: EngineDeps, fetch: PageFetch, listing: PageListing): Promise<PageCounts> {
  const { id: accountId } = fetch.account
  const listed = new Map(listing.pages.map((page) => [pageIdOf(accountId, page.externalId), page]))
  const counts = { refreshed: 0, needsPermission: 0, missed: 0, missing: 0, lost: 0 }
  const keep = async (found: readonly Found[]) => {
    for (const { status } of await keepListed(deps, fetch, found)) {
      counts[status === 'active' ? 'refreshed' : 'needsPermission']++
    }
  }
  const witness = createWitness(deps, fetch)
  for await (const some of storedPages(deps.store, accountId)) {
    await keep(
      some.flatMap((stored) => {
        const page = listed.get(stored.id)
        return page ? [{ id: stored.id, listed: page, stored }] : []
      }),
    )
    const missed = some.filter(({ id }) => !listed.delete(id))
    for (const page of listing.complete ? missed : []) {
      const weighed = await weighMissed(deps, fetch, page, witness)
      if (weighed !== 'known') counts[weighed]++
    }
  }
  const added = [...listed].map(([id, page]) => ({ id, listed: page, stored: null }))
  for (let from = 0; from < added.length; from += CHUNK) await keep(added.slice(from, from + CHUNK))
  return counts
}

/** Those that a later listing missed are left to it. */
async function keepListed(deps: EngineDeps, fetch: PageFetch, found: readonly Found[]): Promise<Page[]> {
  const current = found.filter(({ stored }) => (stored?.lastMissedAt ?? 0) <= fetch.listedAt)
  const made = current.map((one) => ({ ...one, page: toPage(deps, fetch, one) }))
  await tellNeeds(deps, fetch, made)
  const stand = await put(
    deps,
    fetch,
    made.map(({ page }) => page),
  )
  const kept = made.filter(({ id }) => stand.has(id))
  await logListed(deps, fetch, kept)
  return kept.map(({ page }) => page)
}

async function tellNeeds(deps: EngineDeps, fetch: PageFetch, made: readonly Made[]): Promise<void> {
  const news = made.filter(({ stored, page }) => page.status !== stored?.status && page.status === 'needs_permission')
  await tellNews(
    deps,
    fetch,
    'page.needs_permission',
    news.map(({ stored, page }) => ({ from: stored, to: page })),
  )
}

async function logListed(deps: EngineDeps, fetch: PageFetch, kept: readonly Made[]): Promise<void> {
  const fetched = kept.flatMap(({ listed, page }) => {
    const token = ownToken(fetch, listed)
    return token === null ? [] : [{ page, token }]
  })
  await logPages(deps, fetch, 'refreshed', fetched)
}

/**
 * Gives the ids of those that stand now; the others gave way to a later listing. Rejects with STORE_UNAVAILABLE if one
 * is not known to have done either.
 */
async function put({ store }: EngineDeps, fetch: PageFetch, pages: readonly Page[]): Promise<ReadonlySet<string>> {
  const landed = await store.pages.put(pages)
  const unsure = pages.flatMap(({ id }) => (landed.has(id) ? [] : [id]))
  if (unsure.length === 0) return landed
  const there = (await store.pages.getMany(unsure)).filter((page) => wasListedLater(page, fetch))
  if (there.length < unsure.length) {
    throw new CodedError('STORE_UNAVAILABLE', { internal: 'it is not known whether all Pages were written' })
  }
  const { account, listedAt } = fetch
  const own = there.filter((page) => page.parentGeneration === account.generation && page.refreshedAt === listedAt)
  return new Set([...landed, ...own.map(({ id }) => id)])
}

/** A Page that is listed without a token keeps the one that it had. */
function toPage({ sealer }: EngineDeps, fetch: PageFetch, { id, listed, stored }: Found): Page {
  const { externalId, name, tasks, instagramBusinessAccountId } = listed
  const { account, listedAt } = fetch
  const token = ownToken(fetch, listed)
  const sealed = token === null ? null : sealer.seal(token, id, 'page_token')
  return {
    id,
    accountId: account.id,
    externalId,
    name,
    sealedToken: sealed ? sealed.sealed : (stored?.sealedToken ?? null),
    keyId: sealed ? sealed.keyId : (stored?.keyId ?? null),
    tokenExpiresAt: null,
    tasks,
    instagramBusinessAccountId,
    status: sealed ? 'active' : 'needs_permission',
    statusReason: sealed ? null : 'META_PERMISSION_MISSING',
    missingCount: 0,
    lastMissedAt: null,
    parentGeneration: account.generation,
    refreshedAt: listedAt,
  }
}
