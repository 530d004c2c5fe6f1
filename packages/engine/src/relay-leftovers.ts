import type { EngineDeps } from './deps.ts'
import { relayAccount } from './relay.ts'
import { removeAccount } from './remove-account.ts'
import { wasRemoved } from './was-removed.ts'

/**
 * Copies what nobody copied. The insert of a new account may have been under way for so long that the account was removed
 * before it arrived: then it is removed again. Rejects with STORE_UNAVAILABLE.
 */
export async function relayLeftovers(deps: EngineDeps, accountId: string): Promise<void> {
  const account = await deps.store.accounts.get(accountId)
  const isNew = account?.outbox.some((item) => item.kind === 'event' && item.entry.type === 'account.connected')
  if (isNew && account?.status !== 'removing' && (await wasRemoved(deps, accountId))) {
    await removeAccount(deps, accountId, 'recovery')
  } else {
    await relayAccount(deps, accountId)
  }
}
