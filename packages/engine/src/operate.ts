import type { Account, AuditEntry } from '@tokenkeeper/core'
import { CodedError } from '@tokenkeeper/core'
import type { AccountWrite } from '@tokenkeeper/store'
import type { EngineDeps } from './deps.ts'
import { relayAccount } from './relay.ts'
import { pause, resume } from './writes/account-writes.ts'

/** Stops an active account; an outcome still unknown is recovered all the same. Rejects with ACCOUNT_CHANGED if it is not active. */
export function pauseAccount(deps: EngineDeps, accountId: string, actor: string): Promise<Account> {
  return operate(deps, accountId, actor, 'account.paused', 'paused', pause)
}

/** Rejects with ACCOUNT_CHANGED if it is not paused. */
export function resumeAccount(deps: EngineDeps, accountId: string, actor: string): Promise<Account> {
  return operate(deps, accountId, actor, 'account.resumed', 'active', resume)
}

async function operate(
  deps: EngineDeps,
  accountId: string,
  actor: string,
  action: AuditEntry['action'],
  wanted: Account['status'],
  build: (account: Account, audit: AuditEntry) => AccountWrite,
): Promise<Account> {
  const account = await get(deps, accountId)
  const audit: AuditEntry = { id: deps.makeId(), accountId, action, actor, detail: null, at: deps.clock.now() }
  await deps.store.accounts.write(build(account, audit))
  const fresh = await get(deps, accountId)
  if (fresh.status !== wanted) throw new CodedError('ACCOUNT_CHANGED')
  await relayAccount(deps, accountId)
  return fresh
}

async function get(deps: EngineDeps, accountId: string): Promise<Account> {
  const account = await deps.store.accounts.get(accountId)
  if (account === null) throw new CodedError('ACCOUNT_NOT_FOUND')
  return account
}
