import type { Account, AuditEntry } from '@tokenkeeper/core'
import { CodedError, hasCode } from '@tokenkeeper/core'
import type { AccountWrite, SealedValue } from '@tokenkeeper/store'
import type { EngineDeps } from './deps.ts'
import { withFormer } from './former-credentials.ts'
import { relayAccount } from './relay.ts'
import { pause, reseal, resume } from './writes/account-writes.ts'

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

/** Seals everything of an account with the current key. False if nothing was to do, or a newer write was faster. */
export async function resealAccount(deps: EngineDeps, accountId: string): Promise<boolean> {
  const { sealer } = deps
  const account = await get(deps, accountId)
  const former = account.formerCredentials.map(({ keyId }) => keyId)
  const keyIds = [account.keyId, account.previousKeyId, account.appPasswordKeyId, ...former]
  if (account.status === 'removing' || keyIds.every((id) => id === null || id === sealer.currentKeyId)) return false

  const anew = (sealed: string, purpose: 'credential' | 'app_password') =>
    sealer.seal(sealer.open(sealed, accountId, purpose), accountId, purpose)
  const current = anew(account.sealedCredential, 'credential')
  const orNull = (sealed: string | null) => resealOrNull(sealed, (it) => anew(it, 'credential'))
  const previous = orNull(account.previousCredential)
  const formerCredentials = withFormer(account, [], deps.clock.now()).flatMap(({ sealed, until }) => {
    const resealed = orNull(sealed)
    return resealed === null ? [] : [{ ...resealed, until }]
  })
  const appPassword = account.sealedAppPassword === null ? null : anew(account.sealedAppPassword, 'app_password')
  await deps.hook('reseal.read-before-write', accountId)
  return deps.store.accounts.write(
    reseal(account, {
      sealedCredential: current.sealed,
      keyId: current.keyId,
      previousCredential: previous?.sealed ?? null,
      previousKeyId: previous?.keyId ?? null,
      formerCredentials,
      sealedAppPassword: appPassword?.sealed ?? null,
      appPasswordKeyId: appPassword?.keyId ?? null,
    }),
  )
}

/** An earlier credential that was damaged is no loss to the account; one whose key is missing may come back. */
function resealOrNull(sealed: string | null, anew: (sealed: string) => SealedValue): SealedValue | null {
  try {
    return sealed === null ? null : anew(sealed)
  } catch (error) {
    if (hasCode(error, 'SEALED_VALUE_CORRUPT')) return null
    throw error
  }
}

async function get(deps: EngineDeps, accountId: string): Promise<Account> {
  const account = await deps.store.accounts.get(accountId)
  if (account === null) throw new CodedError('ACCOUNT_NOT_FOUND')
  return account
}
