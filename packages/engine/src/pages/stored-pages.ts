import type { Page } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'

/** So many Pages are held in memory at once, whatever an account has. */
export const CHUNK = 200

/** The stored Pages of an account, some at a time, by their ids. */
export async function* storedPages({ pages }: Store, accountId: string): AsyncGenerator<Page[]> {
  for (let afterId: string | null = null; ; ) {
    const some: Page[] = await pages.ofAccount(accountId, { afterId, limit: CHUNK })
    yield some
    if (some.length < CHUNK) return
    afterId = some.at(-1)!.id
  }
}
