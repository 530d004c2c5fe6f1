import type { Account, Page } from '@tokenkeeper/core'
import { CodedError, hasCode } from '@tokenkeeper/core'
import type { SealedValue } from '@tokenkeeper/store'
import type { EngineDeps } from './deps.ts'
import { withFormer } from './former-credentials.ts'
import { storedPages } from './pages/stored-pages.ts'
import { reseal } from './writes/account-writes.ts'
import { pagesDue } from './writes/pages-writes.ts'

/**
 * Seals everything of an account with the current key, its Pages' tokens too. False if nothing was to do, or newer writes
 * were faster. Rejects with ACCOUNT_NOT_FOUND, STORE_UNAVAILABLE, or with KEY_MISSING or SEALED_VALUE_CORRUPT once all
 * that opens is sealed.
 */
export async function resealAccount(deps: EngineDeps, accountId: string): Promise<boolean> {
  const account = await deps.store.accounts.get(accountId)
  if (account === null) throw new CodedError('ACCOUNT_NOT_FOUND')
  if (account.status === 'removing') return false
  const [credentials, pages] = await Promise.allSettled([
    resealCredentials(deps, account),
    resealPages(deps, accountId),
  ])
  if (credentials.status === 'rejected') throw credentials.reason
  if (pages.status === 'rejected') throw pages.reason
  return credentials.value || pages.value > 0
}

async function resealCredentials(deps: EngineDeps, account: Account): Promise<boolean> {
  const { sealer } = deps
  const accountId = account.id
  const former = account.formerCredentials.map(({ keyId }) => keyId)
  const keyIds = [account.keyId, account.previousKeyId, account.appPasswordKeyId, ...former]
  if (keyIds.every((id) => id === null || id === sealer.currentKeyId)) return false

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

/**
 * Seals the tokens of an account's Pages with the current key. Returns of how many; a newer listing may be faster.
 * Rejects with KEY_MISSING, once all others are sealed.
 */
async function resealPages({ store, sealer, clock }: EngineDeps, accountId: string): Promise<number> {
  const anew = ({ id, sealedToken }: Page) =>
    resealOrNull(sealedToken, (sealed) => sealer.seal(sealer.open(sealed, id, 'page_token'), id, 'page_token'))
  let resealed = 0
  let failure: unknown
  for await (const some of storedPages(store, accountId)) {
    const changes = some
      .filter(({ keyId }) => keyId !== null && keyId !== sealer.currentKeyId)
      .flatMap((from) => {
        try {
          const value = anew(from)
          return [{ from, to: { ...from, sealedToken: value?.sealed ?? null, keyId: value?.keyId ?? null } }]
        } catch (error) {
          failure ??= error
          return []
        }
      })
    // First, so that a death after it leaves no Page without a token that nobody lists.
    const isDamaged = changes.some(({ from, to }) => from.status === 'active' && to.sealedToken === null)
    if (isDamaged) await store.accounts.write(pagesDue(accountId, clock.now()))
    resealed += (await store.pages.update(changes)).size
  }
  if (failure !== undefined) throw failure
  return resealed
}

/** What was damaged is no loss, but for the current credential; what was sealed by a missing key may come back. */
function resealOrNull(sealed: string | null, anew: (sealed: string) => SealedValue): SealedValue | null {
  try {
    return sealed === null ? null : anew(sealed)
  } catch (error) {
    if (hasCode(error, 'SEALED_VALUE_CORRUPT')) return null
    throw error
  }
}
