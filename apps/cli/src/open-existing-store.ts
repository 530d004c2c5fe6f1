import type { Config } from '@tokenkeeper/config'
import { toCodedError } from '@tokenkeeper/core'
import { openStore, type Store, sqlitePath } from '@tokenkeeper/store'

/**
 * The store, to look at; null where there is none yet. Looking must not make one: `start` takes a database file as the
 * sign that Tokenkeeper is in use here. Rejects as openStore does.
 */
export async function openExistingStore(config: Config): Promise<Store | null> {
  try {
    return await openStore(config.store.url.reveal(), { mustExist: true })
  } catch (error) {
    if (toCodedError(error).code !== 'STORE_NOT_FOUND') throw error
    // In the wrong directory, or with a slip in DATABASE_URL, "nothing expires" would pass for good news.
    const path = sqlitePath(config.store.url.reveal())
    process.stderr.write(`There is no database at ${path ?? 'the address of DATABASE_URL'} yet.\n`)
    return null
  }
}
