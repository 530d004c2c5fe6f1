import type { Account, AuditEntry } from '@tokenkeeper/core'
import type { AccountWrite } from '@tokenkeeper/store'
import type { RefreshResult } from '../result.ts'
import { reconnect } from './account-writes.ts'
import { commit } from './commit-write.ts'

/**
 * Restore: what the journal knows of the same login and the store, put back from a backup, does not. As the commit was,
 * but over any older generation. What stands there may be older than the credential before this one: presented as the
 * previous one it could be answered with a session that was spent since, so none is kept.
 */
export function restore(account: Account, result: RefreshResult, at: number): AccountWrite {
  const { accountId, when, change } = commit(account, result, at)
  const { generation: _g, ...sameLogin } = when
  const { keepPrevious: _k, set, ...rest } = change
  return {
    name: 'restore',
    accountId,
    when: { ...sameLogin, generationBelow: result.generation + 1 },
    change: { ...rest, set: { ...set, previousCredential: null, previousKeyId: null } },
  }
}

/** A newer login of an account that the backup knows: as the reconnect was, but with the generation that it had. */
export function restoreLogin(account: Account, connected: Account, audit: AuditEntry): AccountWrite {
  const { accountId, when, change } = reconnect(account, connected, audit)
  const { generation: _g, ...rest } = when
  return {
    name: 'restore-login',
    accountId,
    when: { ...rest, generationBelow: connected.generation },
    change: { ...change, set: { ...change.set, generation: connected.generation } },
  }
}
