import {
  type Account,
  type Credential,
  type ErrorCode,
  type Halt,
  HOUR,
  hasCode,
  type RefreshType,
  toCodedError,
  type Verdict,
} from '@tokenkeeper/core'
import type { PageListing } from '@tokenkeeper/providers'
import { openCredential } from '../credentials.ts'
import type { EngineDeps } from '../deps.ts'
import { endProbed } from '../halt-probes.ts'
import { isOfProofs } from '../halts.ts'
import { removeIfGone } from '../remove-account.ts'
import { rejected } from '../verdicts.ts'
import { pagesFetched, pagesPutOff } from '../writes/pages-writes.ts'
import { keepListing } from './keep-listing.ts'
import { mayList } from './may-list.ts'
import { type PageFetch, pagesOf } from './page-fetch.ts'
import type { PageCounts, PagesOutcome } from './pages-outcome.ts'
import { asideMs, concludeUnlisted, patienceMs, putOff } from './unlisted.ts'

/** A Page that was not listed is looked for once more after this (ms). */
const SECOND_LISTING_MS = HOUR

export interface FetchPagesOptions {
  /** Also before they are due, if they are to be fetched at all: whoever refreshed goes on with the Pages. */
  readonly early?: boolean
  readonly refreshType?: RefreshType
}

/**
 * Fetches the Pages of an account, each with its token as of now. The account's own token is not refreshed for that,
 * however often it is repeated. Never rejects.
 */
export async function fetchPages(
  deps: EngineDeps,
  accountId: string,
  { early = false, refreshType = 'scheduled' }: FetchPagesOptions = {},
): Promise<PagesOutcome> {
  try {
    const account = await deps.store.accounts.get(accountId)
    const provider = account && isUsable(account) && deps.providers.get(account.platform)
    const pages = provider && pagesOf(provider)
    if (!pages || provider.kind !== 'extend') return { kind: 'off' }
    const now = deps.clock.now()
    if (account.pagesDueAt === null || (!early && account.pagesDueAt > now)) return { kind: 'not_due' }
    const credential = open(deps, account)
    if (typeof credential === 'string') return await putOff(deps, account, credential, now + asideMs(deps, account))
    const fetch = { account, provider, pages, credential, listedAt: now, refreshType }
    return await fetchDue(deps, fetch).catch((error) => setAside(deps, account, error))
  } catch (error) {
    deps.logger.warn({ accountId, err: error }, 'Pages could not be fetched; the sweep comes back to them')
    return { kind: 'failed', code: toCodedError(error).code, until: deps.clock.now() }
  }
}

/** A mistake of ours must not have the Pages listed again each minute. Rejects if it is the store that is away. */
async function setAside(deps: EngineDeps, account: Account, error: unknown): Promise<PagesOutcome> {
  if (hasCode(error, 'STORE_UNAVAILABLE')) throw error
  deps.logger.error({ accountId: account.id, err: error }, 'Pages could not be fetched')
  return putOff(deps, account, toCodedError(error).code, deps.clock.now() + asideMs(deps, account))
}

function isUsable({ status }: Account): boolean {
  return status === 'active' || status === 'needs_action' || status === 'paused'
}

/** The code, if it does not open: the next refresh quarantines the account. */
function open(deps: EngineDeps, { id, sealedCredential }: Account): Credential | ErrorCode {
  try {
    return openCredential(deps.sealer, id, sealedCredential)
  } catch (error) {
    const { code, internal } = toCodedError(error)
    deps.logger.error({ accountId: id, code, internal }, 'credential cannot be opened: no Pages fetched')
    return code
  }
}

async function fetchDue(deps: EngineDeps, fetch: PageFetch): Promise<PagesOutcome> {
  const { account, provider, pages, credential } = fetch
  const permission = await mayList(deps, account, provider)
  if (!permission.may) {
    return { ...(await putOff(deps, account, permission.code, permission.until)), kind: 'put_off' }
  }
  await deps.hook('pages.before-list', account.id)
  const answer = await pages.list(account, credential).catch(rejected)
  if (showsAccepted(answer.kind, permission.probing)) await endProbed(deps, permission.probing)
  if (answer.kind !== 'pages') return concludeUnlisted(deps, fetch, answer)
  await deps.hook('pages.listed-before-put', account.id)
  if (await removeIfGone(deps, account.id)) return { kind: 'off' }
  const counts = await keepListing(deps, fetch, answer)
  // Meanwhile, once more.
  if (await removeIfGone(deps, account.id)) return { kind: 'off' }
  await deps.hook('pages.put-before-mark', account.id)
  return conclude(deps, fetch, answer, counts)
}

/** Pages, and what is wrong with the user, are told to an app that is accepted; the latter perhaps before a look at proofs. */
function showsAccepted(kind: PageListing['kind'] | Verdict['kind'], probing: Halt | null): boolean {
  if (kind === 'pages') return true
  return (kind === 'dead' || kind === 'needs_action') && (probing === null || !isOfProofs(probing))
}

/** The last write: until it is in, the Pages are due, so that whatever a death left undone is done again. */
async function conclude(
  deps: EngineDeps,
  { account }: PageFetch,
  { complete }: PageListing,
  counts: PageCounts,
): Promise<PagesOutcome> {
  const now = deps.clock.now()
  const fields = { accountId: account.id, generation: account.generation, ...counts }
  if (complete) {
    // Most users have none.
    const isEmpty = Object.values(counts).every((count) => count === 0)
    deps.logger[isEmpty ? 'debug' : 'info'](fields, `Pages of ${account.displayName}`)
    await deps.store.accounts.write(pagesFetched(account, counts.missed > 0 ? now + SECOND_LISTING_MS : null))
  } else {
    deps.logger.warn(fields, `Pages of ${account.displayName}: the listing did not come to its end`)
    await deps.store.accounts.write(pagesPutOff(account, now + patienceMs(deps, account)))
  }
  return { kind: 'fetched', complete, counts }
}
