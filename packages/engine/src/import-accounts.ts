import { type Account, CodedError, type ErrorCode, hasCode, stableFraction } from '@tokenkeeper/core'
import type { Provider, StoredLogin } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'
import { dueAt, earliestAt, pagesDueAt } from './due.ts'
import { auditOf, firstNews, newAccount, type Owner } from './new-account.ts'
import { relayItems } from './relay.ts'
import { wasRemoved } from './was-removed.ts'
import { pauseAfter, WRITE_TRIES } from './write-tries.ts'

/** A login that another app has kept, and whose it is. */
export interface AccountImport extends Owner {
  readonly login: StoredLogin
}

/** `present`: the same login is an account already, and was left as it is. */
export type ImportOutcome =
  | { readonly kind: 'imported'; readonly accountId: string }
  | { readonly kind: 'present'; readonly accountId: string }
  | { readonly kind: 'rejected'; readonly code: ErrorCode }

/**
 * Stores logins that another app has kept until now, some hundreds at once, which share the store's batches. Each is an
 * insert and nothing else: what stands there may have been refreshed since, so nothing is ever written over it. Nobody
 * is asked whether a login works; it falls due soon, and that refresh tells. Of several with the same login the first
 * one is taken. Resolves with an outcome for each, in their order. Rejects with STORE_UNAVAILABLE: then any of them may
 * be there, and all may be imported again.
 */
export async function importAccounts(
  deps: EngineDeps,
  imports: readonly AccountImport[],
  actor: string,
): Promise<ImportOutcome[]> {
  const outcomes = new Map<AccountImport, ImportOutcome>()
  const sameLogin = Map.groupBy(imports, ({ ownerId, login }) =>
    JSON.stringify([ownerId, login.platform, login.providerAppId, login.externalId]),
  )
  const importInTurn = async (group: readonly AccountImport[]) => {
    for (const each of group) outcomes.set(each, await importAccount(deps, each, actor))
  }
  const settled = await Promise.allSettled([...sameLogin.values()].map(importInTurn))
  const failed = settled.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  return imports.map((each) => outcomes.get(each)!)
}

async function importAccount(
  deps: EngineDeps,
  { login, ...owner }: AccountImport,
  actor: string,
): Promise<ImportOutcome> {
  const provider = deps.providers.get(login.platform)
  if (!provider) return { kind: 'rejected', code: 'PROVIDER_OFF' }
  const account = toAccount(deps, provider, login, owner, actor)
  const { ownerId, platform, providerAppId, externalId } = account
  let failure: unknown
  for (let tries = 0; tries < WRITE_TRIES; tries++) {
    try {
      // An insert that nobody heard of may have arrived, and somebody may have removed the account since.
      if (tries > 0 && (await wasRemoved(deps, account.id))) return { kind: 'rejected', code: 'ACCOUNT_REMOVING' }
      const standing = (await insert(deps, account))
        ? account
        : await deps.store.accounts.findByLogin({ ownerId, platform, providerAppId, externalId })
      if (standing?.connectId === account.connectId) {
        deps.journal.append({ kind: 'connected', account: { ...account, outbox: [] } })
        await relayItems(deps, account.id, account.outbox)
        return { kind: 'imported', accountId: account.id }
      }
      if (standing?.status === 'removing') return { kind: 'rejected', code: 'ACCOUNT_REMOVING' }
      if (standing) return { kind: 'present', accountId: standing.id }
    } catch (error) {
      if (!hasCode(error, 'STORE_UNAVAILABLE')) throw error
      failure = error
    }
    await pauseAfter(tries, deps.clock)
  }
  throw new CodedError('STORE_UNAVAILABLE', { cause: failure })
}

/** False if something stands there already. */
async function insert({ store }: EngineDeps, account: Account): Promise<boolean> {
  try {
    await store.accounts.insert(account)
    return true
  } catch (error) {
    if (hasCode(error, 'ACCOUNT_EXISTS')) return false
    throw error
  }
}

function toAccount(
  deps: EngineDeps,
  provider: Provider,
  { issuedAt, ...login }: StoredLogin,
  owner: Owner,
  actor: string,
): Account {
  const now = deps.clock.now()
  const made = newAccount(deps, provider, login, { id: deps.makeId(), connectId: deps.makeId(), now, owner })
  const connected = { ...made, connectedAt: Math.min(now, issuedAt ?? now) }
  const nextRefreshAt = provedAt(deps, provider, connected, now)
  const account = { ...connected, nextRefreshAt, pagesDueAt: pagesDueAt(provider, nextRefreshAt) ?? null }
  const audit = auditOf(account, { id: deps.makeId(), action: 'account.imported', actor, at: now })
  return { ...account, outbox: firstNews(account, audit) }
}

/**
 * When it falls due: soon, since only a refresh tells whether the login works, and long before its end; but spread, so
 * that a file of thousands does not fall due at once.
 */
function provedAt(deps: EngineDeps, provider: Provider, account: Account, now: number): number {
  const left = account.diesAt === null ? Number.POSITIVE_INFINITY : account.diesAt - now
  const soon = now + Math.floor(stableFraction(account.id) * Math.min(deps.due.spreadMs, left / 2))
  return Math.max(Math.min(soon, dueAt(deps, provider, account, now)), earliestAt(provider, account))
}
