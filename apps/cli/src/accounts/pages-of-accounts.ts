import type { Account, AccountStatus, Platform } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'

/** Which accounts a command is about, as its options say it. */
export interface AccountFilter {
  readonly platform?: Platform
  readonly status?: AccountStatus
  readonly owner?: string
  readonly limit?: number
}

const PAGE = 500

/** The accounts by their ids, some hundred at a time, so that memory does not grow with them. */
export async function* pagesOfAccounts(
  store: Store,
  { platform, status, owner, limit = Number.POSITIVE_INFINITY }: AccountFilter,
): AsyncGenerator<readonly Account[]> {
  const filter = {
    ...(platform !== undefined && { platform }),
    ...(status !== undefined && { statusIn: [status] }),
    ...(owner !== undefined && { ownerId: owner }),
  }
  let afterId: string | null = null
  for (let left = limit; left > 0; ) {
    const size = Math.min(PAGE, left)
    const page: Account[] = await store.accounts.list({ ...filter, afterId, limit: size })
    if (page.length > 0) yield page
    if (page.length < size) return
    afterId = page.at(-1)!.id
    left -= page.length
  }
}
