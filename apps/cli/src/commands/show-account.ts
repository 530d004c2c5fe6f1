import type { Page } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import { accountNotFound } from '../account-not-found.ts'
import { assertAccountId } from '../accounts/assert-id.ts'
import { accountFacts } from '../accounts/facts.ts'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'

interface Options {
  readonly id: string
  readonly sandbox?: boolean
}

const PAGE = 500

/** All that is known of an account but its secrets, and its Pages. */
export async function showAccount({ id, sandbox }: Options, output: Output): Promise<number> {
  assertAccountId(id)
  await using store = await openExistingStore(loadSettings(sandbox))
  const account = (await store?.accounts.get(id)) ?? null
  if (store === null || account === null) throw accountNotFound()
  const facts = accountFacts(account, await pagesOf(store, id))
  output.result(facts)
  if (output.json) return 0
  const { pages, ...rest } = facts
  output.say(
    renderTable(
      ['', ''],
      Object.entries(rest).map(([name, value]) => [name, textOf(value)]),
    ).trimStart(),
  )
  if (pages.length > 0) {
    const rows = pages.map(({ id, externalId, name, status, statusReason, refreshedAt }) => [
      id,
      externalId,
      name,
      [status, statusReason].filter(Boolean).join(' '),
      textOf(refreshedAt),
    ])
    output.say(`\n${renderTable(['page', 'id there', 'name', 'status', 'refreshed'], rows)}`)
  }
  return 0
}

async function pagesOf(store: Store, accountId: string): Promise<Page[]> {
  const pages: Page[] = []
  for (;;) {
    const more = await store.pages.ofAccount(accountId, { afterId: pages.at(-1)?.id ?? null, limit: PAGE })
    pages.push(...more)
    if (more.length < PAGE) return pages
  }
}

/** A value for people: lists and objects in one line. */
function textOf(value: unknown): string {
  if (value === null || value === '') return '-'
  if (Array.isArray(value)) return value.join(' ') || '-'
  if (typeof value === 'object')
    return Object.values(value as object)
      .map(textOf)
      .join(', ')
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
}
