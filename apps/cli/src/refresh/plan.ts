import { type Account, type AccountStatus, CodedError, FOREVER, PLATFORMS, type Platform } from '@tokenkeeper/core'
import type { DueAccount, Store } from '@tokenkeeper/store'
import { filterOf, type RefreshOptions } from './options.ts'

const PAGE = 500

export interface PlanDeps {
  readonly store: Store
  /** Those that are configured here. */
  readonly platforms: readonly Platform[]
  readonly now: number
}

type PlanOptions = Pick<RefreshOptions, 'all' | 'account' | 'platform' | 'standalone'>

/**
 * The accounts that a refresh by these options would take up now, in pages: of each platform those that fall due first
 * come first. Reads the store alone. Rejects with ACCOUNT_NOT_FOUND, or as the store does.
 */
export async function* planned(deps: PlanDeps, options: PlanOptions): AsyncGenerator<readonly Account[]> {
  const { store, platforms, now } = deps
  if (options.account !== undefined) {
    const account = await store.accounts.get(options.account)
    if (account === null) throw new CodedError('ACCOUNT_NOT_FOUND')
    yield [account]
    return
  }
  const { dueBefore = FOREVER } = filterOf(options, now)
  if (options.standalone) yield await toRecover(deps, options, dueBefore)
  for (const platform of PLATFORMS.filter((one) => platforms.includes(one) && (options.platform ?? one) === one)) {
    yield* due(store, platform, ['active'], dueBefore)
    // Who does all by itself tries those again that need somebody, when their time has come.
    if (options.standalone) yield* due(store, platform, ['needs_action', 'quarantined'], now)
  }
}

/** Attempts of unknown outcome are recovered whatever the status, and whenever the account falls due. */
async function toRecover({ store, platforms, now }: PlanDeps, { platform }: PlanOptions, dueBefore: number) {
  const stale = await store.accounts.stale({ now, limit: PAGE })
  const accounts = await store.accounts.getMany(stale.map(({ id }) => id))
  return accounts.filter(({ platform: one, status, nextRefreshAt }) => {
    const isListed =
      status === 'active' ? nextRefreshAt <= dueBefore : status === 'needs_action' && nextRefreshAt <= now
    return platforms.includes(one) && (platform ?? one) === one && !isListed
  })
}

async function* due(
  { accounts }: Store,
  platform: Platform,
  statusIn: readonly AccountStatus[],
  before: number,
): AsyncGenerator<readonly Account[]> {
  let after: DueAccount | null = null
  for (;;) {
    const page: DueAccount[] = await accounts.due({ platform, statusIn, before, after, limit: PAGE })
    const found = new Map((await accounts.getMany(page.map(({ id }) => id))).map((account) => [account.id, account]))
    yield page.flatMap(({ id }) => found.get(id) ?? [])
    if (page.length < PAGE) return
    after = page.at(-1)!
  }
}
