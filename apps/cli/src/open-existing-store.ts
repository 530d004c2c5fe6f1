import type { Config } from '@tokenkeeper/config'
import { toCodedError } from '@tokenkeeper/core'
import { openStore, type Store } from '@tokenkeeper/store'

/**
 * The store, to look at; null where there is none yet. Looking must not make one: `start` takes a database file as the
 * sign that Tokenkeeper is in use here. Rejects as openStore does.
 */
export async function openExistingStore(config: Config): Promise<Store | null> {
  try {
    return await openStore(config.store.url.reveal(), { mustExist: true })
  } catch (error) {
    if (toCodedError(error).code === 'STORE_NOT_FOUND') return null
    throw error
  }
}
