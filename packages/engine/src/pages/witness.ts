import { type Page, toCodedError } from '@tokenkeeper/core'
import type { EngineDeps } from '../deps.ts'
import { rejected } from '../verdicts.ts'
import type { PageFetch } from './page-fetch.ts'
import { limitEnd } from './unlisted.ts'

/** Of one listing: one that is empty by mistake must not cost a request for each of a thousand Pages. */
const MAX_REQUESTS = 25

/**
 * Asks the provider about a Page by the Page's own token, one request each. `not_asked`: there were enough requests for
 * now; what is to be said of this Page is for the next listing to find out.
 */
export type Witness = (page: Page) => Promise<'lost' | 'not_lost' | 'not_asked'>

export function createWitness(deps: EngineDeps, fetch: PageFetch): Witness {
  const { account, pages } = fetch
  let left = MAX_REQUESTS
  return async (page) => {
    const token = openToken(deps, page)
    // One that never had a token was never ours to lose.
    if (token === null) return 'not_lost'
    if (left === 0) return 'not_asked'
    left--
    const answer = await pages.check(account, { externalId: page.externalId, token }).catch(rejected)
    if (answer === 'works') return 'not_lost'
    const { kind, code, internal } = answer
    const fields = { accountId: account.id, pageId: page.id, verdict: kind, code, internal }
    deps.logger.warn(fields, `Page not listed: ${page.name}`)
    if (kind === 'page_lost') return 'lost'
    // The next one would be answered in the same way.
    if (kind === 'halt' || (kind === 'snooze' && answer.scope !== 'asset')) {
      await limitEnd(deps, fetch, answer)
      left = 0
    }
    return 'not_lost'
  }
}

/** The Page's own token in the clear; null if it has none, or one that does not open. */
export function openToken({ sealer, logger }: Pick<EngineDeps, 'sealer' | 'logger'>, page: Page): string | null {
  if (page.sealedToken === null) return null
  try {
    return sealer.open(page.sealedToken, page.id, 'page_token')
  } catch (error) {
    const { code, internal } = toCodedError(error)
    logger.error({ accountId: page.accountId, pageId: page.id, code, internal }, 'Page token cannot be opened')
    return null
  }
}
