import { type Account, systemClock } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'
import { isoTime, relativeTime } from '../times.ts'

const PAGE = 500

export async function listAccounts(options: { readonly sandbox?: boolean }, output: Output): Promise<number> {
  await using store = await openExistingStore(loadSettings(options.sandbox))
  const accounts = store ? await all(store) : []
  if (output.json) output.result(accounts.map(accountForPrograms))
  else if (accounts.length === 0) output.say('No accounts yet. Connect one: pnpm tokenkeeper accounts add bluesky')
  else output.say(accountTable(accounts, systemClock.now()))
  return 0
}

async function all(store: Store): Promise<Account[]> {
  const accounts: Account[] = []
  for (;;) {
    const page = await store.accounts.list({ afterId: accounts.at(-1)?.id ?? null, limit: PAGE })
    accounts.push(...page)
    if (page.length < PAGE) return accounts
  }
}

/** What programs see of an account; times in ISO 8601. */
export function accountForPrograms(account: Account) {
  const { id, platform, displayName, externalId, ownerId, status, statusReason, serviceUrl, failure } = account
  return {
    id,
    platform,
    name: displayName,
    externalId,
    ownerId,
    status,
    statusReason,
    serviceUrl,
    failure: failure && {
      class: failure.class,
      code: failure.code,
      count: failure.count,
      since: isoTime(failure.since),
    },
    lastRefreshedAt: isoTime(account.lastRefreshedAt),
    nextRefreshAt: isoTime(account.nextRefreshAt),
    accessExpiresAt: isoTime(account.accessExpiresAt),
    diesAt: isoTime(account.diesAt),
  }
}

function accountTable(accounts: readonly Account[], now: number): string {
  const rows = accounts.map((account) => [
    account.id,
    account.platform,
    account.displayName,
    [account.status, account.statusReason ?? account.failure?.code].filter(Boolean).join(' '),
    relativeTime(account.lastRefreshedAt, now),
    account.status === 'active' ? relativeTime(Math.max(account.nextRefreshAt, now), now) : '-',
    relativeTime(account.diesAt, now),
  ])
  return renderTable(['id', 'platform', 'name', 'status', 'last refreshed', 'next refresh', 'dies'], rows)
}
