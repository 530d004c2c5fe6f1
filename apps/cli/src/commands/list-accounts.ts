import { type Account, systemClock } from '@tokenkeeper/core'
import { accountForPrograms } from '../accounts/facts.ts'
import { type AccountFilter, pagesOfAccounts } from '../accounts/pages-of-accounts.ts'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'
import { relativeTime } from '../times.ts'
import { writeOut } from '../write-out.ts'

type Options = AccountFilter & { readonly sandbox?: boolean }

/** Page by page, as the store gives them: a table for each page, or one array of JSON that is written as it grows. */
export async function listAccounts({ sandbox, ...filter }: Options, output: Output): Promise<number> {
  await using store = await openExistingStore(loadSettings(sandbox))
  const pages = store ? pagesOfAccounts(store, filter) : []
  if (output.json) await printJson(pages)
  else await printTables(pages, output, isFiltered(filter))
  return 0
}

type Pages = AsyncIterable<readonly Account[]> | Iterable<readonly Account[]>

async function printJson(pages: Pages): Promise<void> {
  let opening = '['
  for await (const page of pages) {
    await writeOut(process.stdout, opening + page.map((account) => JSON.stringify(accountForPrograms(account))).join())
    opening = ','
  }
  await writeOut(process.stdout, opening === '[' ? '[]\n' : ']\n')
}

async function printTables(pages: Pages, output: Output, isFiltered: boolean): Promise<void> {
  let count = 0
  for await (const page of pages) {
    await writeOut(process.stdout, `${accountTable(page, systemClock.now())}\n`)
    count += page.length
  }
  if (count > 0) return
  output.say(isFiltered ? 'No such accounts.' : 'No accounts yet. Connect one: pnpm tokenkeeper accounts add bluesky')
}

function isFiltered({ platform, status, owner }: AccountFilter): boolean {
  return platform !== undefined || status !== undefined || owner !== undefined
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
