import type { Account, AuditEntry, Credential } from '@tokenkeeper/core'
import { CodedError } from '@tokenkeeper/core'
import { openCredential } from './credentials.ts'
import type { EngineDeps } from './deps.ts'
import { withFormer } from './former-credentials.ts'
import { logOut } from './log-out.ts'
import { relayAccount } from './relay.ts'
import { remove } from './writes/account-writes.ts'

/**
 * Marks, logs out at the provider as well as can be, relays, deletes. Repeating it finishes what a death interrupted.
 * Rejects with ACCOUNT_NOT_FOUND, STORE_UNAVAILABLE.
 */
export async function removeAccount(deps: EngineDeps, accountId: string, actor: string): Promise<void> {
  const marked = await mark(deps, accountId, actor)
  if (marked) {
    deps.journal.append({ kind: 'removed', audit: marked.audit })
    await deps.hook('remove.marked-before-relay', accountId)
    const provider = deps.providers.get(marked.account.platform)
    if (provider) await logOut(deps, provider, marked.account, marked.credentials)
  } else {
    await journalRemoval(deps, accountId)
  }
  await finishRemoval(deps, accountId)
}

/** Whoever marked it may have died before the journal knew. Twice does no harm. Rejects as the store does. */
async function journalRemoval({ store, journal }: EngineDeps, accountId: string): Promise<void> {
  const account = await store.accounts.get(accountId)
  const told = account?.outbox.flatMap((item) => (item.kind === 'audit' ? [item.entry] : [])) ?? []
  const noted = await store.audit.list({ accountId, limit: 100 })
  const removal = [...told, ...noted].find(({ action }) => action === 'account.removed')
  if (removal) journal.append({ kind: 'removed', audit: removal })
}

/**
 * A removal that the journal tells of. Noted first, so that neither a login nor a spooled answer brings the account back;
 * logged out it was then. True if the account was there. Rejects as the store does.
 */
export async function restoreRemoval(deps: EngineDeps, audit: AuditEntry): Promise<boolean> {
  const { accountId } = audit
  await deps.store.audit.insert([audit])
  for (;;) {
    const account = await deps.store.accounts.get(accountId)
    if (account === null) return false
    if (account.status === 'removing' || (await deps.store.accounts.write(remove(account, audit)))) break
  }
  await finishRemoval(deps, accountId)
  return true
}

/** Tells what is left to tell, and deletes an account that is marked. */
async function finishRemoval(deps: EngineDeps, accountId: string): Promise<void> {
  await relayAccount(deps, accountId)
  await removeRelated(deps, accountId)
  const deleted = await deps.store.accounts.deleteRemoved(accountId)
  // Others may have copied or fetched something between; from now on they find no account, and clear up by themselves.
  if (deleted) await removeRelated(deps, accountId)
}

/** Of an account that was removed nothing stays. True if it was. Rejects as the store does. */
export async function removeIfGone({ store }: Pick<EngineDeps, 'store'>, accountId: string): Promise<boolean> {
  const account = await store.accounts.get(accountId)
  if (account !== null && account.status !== 'removing') return false
  await removeRelated({ store }, accountId)
  return true
}

/** What goes with an account. The Pages last: by them it is found if this is interrupted. */
async function removeRelated({ store }: Pick<EngineDeps, 'store'>, accountId: string): Promise<void> {
  await store.log.removeAccount(accountId)
  await store.pages.removeAccount(accountId)
}

/** The account as it stood, its credentials, oldest first, and what was noted; null if it was marked already. */
async function mark(deps: EngineDeps, accountId: string, actor: string) {
  for (;;) {
    const account = await deps.store.accounts.get(accountId)
    if (account === null) throw new CodedError('ACCOUNT_NOT_FOUND')
    if (account.status === 'removing') return null
    const audit: AuditEntry = {
      id: deps.makeId(),
      accountId,
      action: 'account.removed',
      actor,
      detail: `${account.platform} ${account.externalId}`,
      at: deps.clock.now(),
    }
    const credentials = openAll(deps, account)
    if (await deps.store.accounts.write(remove(account, audit))) return { account, credentials, audit }
  }
}

function openAll(deps: EngineDeps, account: Account): Credential[] {
  const former = withFormer(account, [], deps.clock.now()).map(({ sealed }) => sealed)
  return [...former, account.previousCredential, account.sealedCredential].flatMap((sealed) => {
    try {
      return sealed === null ? [] : [openCredential(deps.sealer, account.id, sealed)]
    } catch {
      return [] // what does not open cannot be logged out
    }
  })
}
