import { CodedError, haltIdOf, type Platform } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import { explain } from './explain.ts'
import type { Explanation } from './explanation.ts'

/** As many attempts of the past as anybody reads. */
const LOG_ENTRIES = 50

export interface ExplainDeps {
  readonly store: Store
  readonly clock: { now(): number }
  /** Those that are configured here. */
  readonly platforms: readonly Platform[]
}

/** Reads and asks nothing of a provider. Rejects with ACCOUNT_NOT_FOUND, or as the store does. */
export async function explainAccount(
  { store, clock, platforms }: ExplainDeps,
  accountId: string,
): Promise<Explanation> {
  const account = await store.accounts.get(accountId)
  if (account === null) throw new CodedError('ACCOUNT_NOT_FOUND')
  const { platform, providerAppId } = account
  const [halt, log] = await Promise.all([
    providerAppId === '' ? null : store.halts.get(haltIdOf(platform, providerAppId)),
    store.log.list({ accountId, pageId: null, limit: LOG_ENTRIES }),
  ])
  // Also where no provider is configured that could tell.
  const kind = platform === 'bluesky' ? 'grace' : 'extend'
  return explain({ account, kind, halt, log, isOn: platforms.includes(platform), now: clock.now() })
}
