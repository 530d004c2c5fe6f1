import type { EngineDeps } from '../deps.ts'
import { removeIfGone } from '../remove-account.ts'

/** So many Pages are looked at in one call. */
const PAGE = 500

/**
 * Removes Pages and log of accounts that are gone: whoever listed them meanwhile may have died, or had no store, before
 * it cleared up. Looks at those after `afterId`; resolves with where to go on, null at the end. Rejects as the store does.
 */
export async function removeOrphanPages(
  { store, logger }: Pick<EngineDeps, 'store' | 'logger'>,
  afterId: string | null,
): Promise<string | null> {
  const pages = await store.pages.scan({ afterId, limit: PAGE })
  const owners = new Set(pages.map(({ accountId }) => accountId))
  for (const { id } of await store.accounts.getMany([...owners])) owners.delete(id)
  for (const accountId of owners) {
    if (await removeIfGone({ store }, accountId)) logger.info({ accountId }, 'removed Pages of an account that is gone')
  }
  return pages.length < PAGE ? null : pages.at(-1)!.id
}
