import { CodedError } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'

/**
 * A store whose acknowledgement of one kind of write is lost, the first time: the write is applied, the caller hears an
 * error (as on a broken connection), or `false` (as of a batch that did not match in full).
 */
export function losingAcknowledgement(store: Store, name: string, heard: 'error' | 'unmatched' = 'error'): Store {
  let lost = false
  return {
    ...store,
    accounts: {
      ...store.accounts,
      async write(write) {
        const applied = await store.accounts.write(write)
        if (write.name !== name || lost) return applied
        lost = true
        if (heard === 'unmatched') return false
        throw new CodedError('STORE_UNAVAILABLE', { internal: 'connection lost' })
      },
    },
  }
}
