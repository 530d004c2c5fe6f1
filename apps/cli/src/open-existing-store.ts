import { existsSync } from 'node:fs'
import type { Config } from '@tokenkeeper/config'
import { openStore, type Store } from '@tokenkeeper/store'

/**
 * The store, to look at; null where there is none yet. Looking must not make one: `start` takes a database file as the
 * sign that Tokenkeeper is in use here.
 */
export function openExistingStore(config: Config): Promise<Store | null> {
  return openStoreIfThere(config.store.url.reveal())
}

/** As {@link openExistingStore}, by a URL as DATABASE_URL has it. Rejects as openStore does. */
export async function openStoreIfThere(url: string): Promise<Store | null> {
  const [, path] = /^sqlite:(.+)$/i.exec(url) ?? []
  return path !== undefined && !existsSync(path) ? null : openStore(url)
}
