import type { Credential } from '@tokenkeeper/core'
import type { Provider, ProviderAccount } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'

/**
 * Logs out at the provider, as well as can be; never rejects. Where tokens are extended, that takes back all that the
 * user granted to our app: not while another account lives by the same login.
 */
export async function logOut(
  { store, logger }: Pick<EngineDeps, 'store' | 'logger'>,
  provider: Provider,
  account: ProviderAccount,
  credentials: readonly Credential[],
): Promise<void> {
  try {
    if (provider.kind === 'extend' && (await store.accounts.isShared(account))) return
    await provider.logout(account, credentials)
  } catch (error) {
    logger.warn({ accountId: account.id, err: error }, 'not logged out: it is not known who else has this login')
  }
}
