import type { Account } from '@tokenkeeper/core'
import { CodedError, hasCode } from '@tokenkeeper/core'
import type { FreshLogin, Provider } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'
import type { ConnectOptions } from './engine.ts'
import { logOut } from './log-out.ts'
import { auditOf, firstNews, newAccount } from './new-account.ts'
import { relayAccount } from './relay.ts'
import { wasRemoved } from './was-removed.ts'
import { pauseAfter, WRITE_TRIES } from './write-tries.ts'
import { reconnect } from './writes/account-writes.ts'

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
        if (stands === connectId) {
          deps.journal.append({ kind: 'connected', account: { ...standing, attempt: null, outbox: [] } })
        }
        await relayAccount(deps, standing.id)
        return (await deps.store.accounts.get(standing.id)) ?? standing
      }
      // A new account that is not there may have been there, and have been removed.
      const isRemoved = standing === null && (isSucceeded || (writtenOver === null && (await wasRemoved(deps, newId))))
      if (standing?.status === 'removing' || isRemoved) {
        await logOut(deps, provider, { ...login, id: standing?.id ?? '' }, [login.credential])
        throw new CodedError('ACCOUNT_REMOVING')
      }
      if (tries === WRITE_TRIES) break
      writtenOver = stands
      const connected = toAccount(deps, provider, standing, { newId, connectId }, login, options)
      const audit = auditOf(connected, {
        id: deps.makeId(),
        action: 'account.connected',
        actor: options.actor,
        at: connected.connectedAt,
      })
      if (standing) await deps.store.accounts.write(reconnect(standing, connected, audit))
      else await deps.store.accounts.insert({ ...connected, outbox: firstNews(connected, audit) })
    } catch (error) {
      if (!hasCode(error, 'STORE_UNAVAILABLE') && !hasCode(error, 'ACCOUNT_EXISTS')) throw error
      failure = error
      if (tries === WRITE_TRIES) break
      await pauseAfter(tries, deps.clock)
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
  { ownerId, ownerEmail = standing?.ownerEmail ?? undefined, appPassword }: ConnectOptions,
): Account {
  const owner = { ownerId, ...(ownerEmail !== undefined && { ownerEmail }) }
  const id = standing?.id ?? newId
  const account = newAccount(deps, provider, login, { id, connectId, now: deps.clock.now(), owner })
  if (!appPassword) return account
  const { sealed, keyId } = deps.sealer.seal(appPassword, id, 'app_password')
  return { ...account, sealedAppPassword: sealed, appPasswordKeyId: keyId }
}
