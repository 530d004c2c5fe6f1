import type { Account, AuditEntry } from '@tokenkeeper/core'
import { CodedError, hasCode } from '@tokenkeeper/core'
import type { FreshLogin, Provider } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'
import { dueAt } from './due.ts'
import type { ConnectOptions } from './engine.ts'
import { logOut } from './log-out.ts'
import { pagesOf } from './pages/page-fetch.ts'
import { relayAccount } from './relay.ts'
import { wasRemoved } from './was-removed.ts'
import { reconnect } from './writes/account-writes.ts'

/** How often a write is tried again before the caller is told that the store is away. */
const TRIES = 10

/**
 * Stores a login that was just made. The login comes first and the write after it, so that a refused login changes
 * nothing. The connect id tells, after a lost acknowledgement, that the write arrived: repeating it blindly could
 * overwrite what others have refreshed since. If another login came after it, that one stays. Rejects with
 * ACCOUNT_REMOVING, STORE_UNAVAILABLE, PROVIDER_OFF.
 */
export async function connectAccount(deps: EngineDeps, login: FreshLogin, options: ConnectOptions): Promise<Account> {
  const provider = deps.providers.get(login.platform)
  if (!provider) throw new CodedError('PROVIDER_OFF')
  const connectId = deps.makeId()
  const newId = deps.makeId()
  await deps.hook('reconnect.logged-in-before-write', connectId)
  let failure: unknown
  /** What stood there when this login was written, perhaps with success. If something else stands there, that came later. */
  let writtenOver: string | null | undefined
  for (let tries = 0; ; tries++) {
    try {
      const standing = await deps.store.accounts.findByLogin({ ownerId: options.ownerId, ...loginKey(login) })
      const stands = standing?.connectId ?? null
      const isSucceeded = writtenOver !== undefined && stands !== writtenOver
      if (standing && (stands === connectId || isSucceeded)) {
        await relayAccount(deps, standing.id)
        return (await deps.store.accounts.get(standing.id)) ?? standing
      }
      // A new account that is not there may have been there, and have been removed.
      const isRemoved = standing === null && (isSucceeded || (writtenOver === null && (await wasRemoved(deps, newId))))
      if (standing?.status === 'removing' || isRemoved) {
        await logOut(deps, provider, { ...login, id: standing?.id ?? '' }, [login.credential])
        throw new CodedError('ACCOUNT_REMOVING')
      }
      if (tries === TRIES) break
      writtenOver = stands
      const connected = toAccount(deps, provider, standing, { newId, connectId }, login, options)
      const audit = auditOf(connected, options, deps.makeId())
      if (standing) await deps.store.accounts.write(reconnect(standing, connected, audit))
      else await deps.store.accounts.insert({ ...connected, outbox: firstNews(connected, audit) })
    } catch (error) {
      if (!hasCode(error, 'STORE_UNAVAILABLE') && !hasCode(error, 'ACCOUNT_EXISTS')) throw error
      failure = error
      if (tries === TRIES) break
      await deps.clock.sleep(50 * 2 ** Math.min(tries, 5))
    }
  }
  // The login is not ended: what was written last may yet turn out to be there.
  throw new CodedError('STORE_UNAVAILABLE', { cause: failure })
}

function loginKey({ platform, providerAppId, externalId }: FreshLogin) {
  return { platform, providerAppId, externalId }
}

function toAccount(
  deps: EngineDeps,
  provider: Provider,
  standing: Account | null,
  { newId, connectId }: { readonly newId: string; readonly connectId: string },
  login: FreshLogin,
  options: ConnectOptions,
): Account {
  const now = deps.clock.now()
  const id = standing?.id ?? newId
  const { credential, ...facts } = login
  const { diesAt, dataAccessExpiresAt = null } = login
  const { sealed, keyId } = deps.sealer.seal(JSON.stringify(credential), id, 'credential')
  const appPassword = options.appPassword ? deps.sealer.seal(options.appPassword, id, 'app_password') : null
  return {
    ...facts,
    id,
    ownerId: options.ownerId,
    status: 'active',
    statusReason: null,
    generation: 1,
    sealedCredential: sealed,
    keyId,
    previousCredential: null,
    previousKeyId: null,
    formerCredentials: [],
    connectId,
    dataAccessExpiresAt,
    connectedAt: now,
    lastRefreshedAt: null,
    nextRefreshAt: dueAt(
      deps,
      provider,
      { id, diesAt, dataAccessExpiresAt, connectedAt: now, lastRefreshedAt: null },
      now,
    ),
    snoozedAt: null,
    failure: null,
    attempt: null,
    lastAttempt: null,
    pagesGeneration: 0,
    pagesDueAt: pagesOf(provider) ? now : null,
    outbox: [],
    ownerEmail: options.ownerEmail ?? standing?.ownerEmail ?? null,
    sealedAppPassword: appPassword?.sealed ?? null,
    appPasswordKeyId: appPassword?.keyId ?? null,
    appPasswordTriedAt: null,
  }
}

function auditOf(account: Account, options: ConnectOptions, id: string): AuditEntry {
  return {
    id,
    accountId: account.id,
    action: 'account.connected',
    actor: options.actor,
    detail: account.platform,
    at: account.connectedAt,
  }
}

function firstNews(account: Account, audit: AuditEntry): Account['outbox'] {
  const { id: accountId, connectId: id, connectedAt: at } = account
  return [
    { kind: 'event', id, entry: { id, accountId, type: 'account.connected', reason: null, at } },
    { kind: 'audit', id: audit.id, entry: audit },
  ]
}
