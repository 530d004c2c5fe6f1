import { type Account, type EndKind, endOf, type Page, type Platform } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'

const BATCH = 500

/** What comes to its end: an account, or one of its Pages, whose token may have an end of its own. */
export interface Ending {
  readonly account: Account
  readonly page: Page | null
  /** ms since the epoch. */
  readonly at: number
  readonly by: EndKind
}

export interface EndingsQuery {
  readonly platforms: readonly Platform[]
  /** ms since the epoch: `from` ≤ end < `before`. */
  readonly from: number
  readonly before: number
}

/** Accounts and Pages together, the soonest end first. Some hundreds are held at once, however many there are. */
export async function* endings(store: Store, query: EndingsQuery): AsyncGenerator<Ending> {
  const [accounts, pages] = [endingAccounts(store, query), endingPages(store, query)]
  let [account, page] = [await accounts.next(), await pages.next()]
  while (!account.done || !page.done) {
    if (!account.done && (page.done || account.value.at <= page.value.at)) {
      yield account.value
      account = await accounts.next()
    } else if (!page.done) {
      yield page.value
      page = await pages.next()
    }
  }
}

async function* endingAccounts({ accounts }: Store, query: EndingsQuery): AsyncGenerator<Ending, undefined> {
  for (let after: { endsAt: number; id: string } | null = null; ; ) {
    const batch: Account[] = await accounts.expiring({ ...query, after, limit: BATCH })
    for (const account of batch) {
      const { at, by } = endOf(account)!
      yield { account, page: null, at, by }
      after = { endsAt: at, id: account.id }
    }
    if (batch.length < BATCH) return
  }
}

async function* endingPages({ accounts, pages }: Store, query: EndingsQuery): AsyncGenerator<Ending, undefined> {
  const { platforms, from, before } = query
  if (!platforms.includes('meta')) return // no other platform has Pages
  for (let after: { tokenExpiresAt: number; id: string } | null = null; ; ) {
    const batch: Page[] = await pages.expiring({ from, before, after, limit: BATCH })
    const owners = await accounts.getMany([...new Set(batch.map(({ accountId }) => accountId))])
    const byId = new Map(owners.map((account) => [account.id, account]))
    for (const page of batch) {
      const at = page.tokenExpiresAt!
      const account = byId.get(page.accountId)
      if (account && account.status !== 'removing') yield { account, page, at, by: 'token' }
      after = { tokenExpiresAt: at, id: page.id }
    }
    if (batch.length < BATCH) return
  }
}
