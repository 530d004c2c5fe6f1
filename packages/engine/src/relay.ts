import type { OutboxItem } from '@tokenkeeper/core'
import type { AccountWrite } from '@tokenkeeper/store'
import type { EngineDeps } from './deps.ts'

type RelayDeps = Pick<EngineDeps, 'store' | 'hook' | 'logger'>

/** Copies what an account still has to tell. Anyone may do it, any number of times. */
export async function relayAccount(deps: RelayDeps, accountId: string): Promise<void> {
  const account = await deps.store.accounts.get(accountId)
  if (account) await copyAndPull(deps, accountId, account.outbox)
}

/** Step 7, for items that a write of ours just pushed. What fails is left to the sweep. True if all is told. */
export async function relayItems(deps: RelayDeps, accountId: string, items: readonly OutboxItem[]): Promise<boolean> {
  try {
    await copyAndPull(deps, accountId, items)
    return true
  } catch (error) {
    deps.logger.warn({ accountId, err: error }, 'could not relay now; the sweep will')
    return false
  }
}

/** A write that tells something, and its relay. True if it surely matched. Rejects as the store does. */
export async function writeAndRelay(deps: RelayDeps, write: AccountWrite): Promise<boolean> {
  const written = await deps.store.accounts.write(write)
  if (written) await relayItems(deps, write.accountId, write.change.tell ?? [])
  return written
}

/**
 * Copies first, under the items' own ids, then pulls: a death between doubles nothing and loses nothing. If the account
 * was removed meanwhile, what is in the log goes too. Rejects as the store does.
 */
export async function copyAndPull(deps: RelayDeps, accountId: string, items: readonly OutboxItem[]): Promise<void> {
  if (items.length === 0) return
  const { log, events, audit, accounts } = deps.store
  const entries = items.flatMap((item) => (item.kind === 'log' ? [item.entry] : []))
  const told = items.flatMap((item) => (item.kind === 'event' ? [item.entry] : []))
  const audited = items.flatMap((item) => (item.kind === 'audit' ? [item.entry] : []))
  await Promise.all([
    entries.length > 0 && log.put(entries),
    told.length > 0 && events.insert(told),
    audited.length > 0 && audit.insert(audited),
  ])
  await deps.hook('relay.inserted-before-pull', accountId)
  const isThere = await accounts.pull(
    accountId,
    items.map((item) => item.id),
  )
  if (!isThere) await log.removeAccount(accountId)
}
