import { type Account, isId, type Page, type RefreshLogEntry } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import { accountNotFound } from '../account-not-found.ts'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'
import { isoTime } from '../times.ts'

interface Options {
  readonly limit: number
  readonly failed?: boolean
  readonly account?: string
  readonly sandbox?: boolean
}

/** An entry, and whose it is: gone if it was removed just now. */
interface Line {
  readonly entry: RefreshLogEntry
  readonly account: Account | undefined
  readonly page: Page | undefined
}

export async function showLog({ limit, failed, account, sandbox }: Options, output: Output): Promise<number> {
  await using store = await openExistingStore(loadSettings(sandbox))
  if (account !== undefined && !(isId(account) && (await store?.accounts.get(account)))) throw accountNotFound()
  const query = { limit, ...(failed && { success: false }), ...(account !== undefined && { accountId: account }) }
  const lines = store ? await readLines(store, query) : []
  if (output.json) output.result(lines.map(forPrograms))
  else if (lines.length === 0) output.say(failed ? 'No refresh has failed.' : 'Nothing was refreshed yet.')
  else output.say(table(lines))
  return 0
}

async function readLines({ log, accounts, pages }: Store, query: Parameters<Store['log']['list']>[0]): Promise<Line[]> {
  const entries = await log.list(query)
  const pageIds = entries.flatMap(({ pageId }) => pageId ?? [])
  const accountById = byId(await accounts.getMany([...new Set(entries.map(({ accountId }) => accountId))]))
  const pageById = byId(await pages.getMany([...new Set(pageIds)]))
  return entries.map((entry) => ({
    entry,
    account: accountById.get(entry.accountId),
    page: pageById.get(entry.pageId ?? ''),
  }))
}

function byId<T extends { readonly id: string }>(entities: readonly T[]): Map<string, T> {
  return new Map(entities.map((entity) => [entity.id, entity]))
}

function forPrograms({ entry, account, page }: Line) {
  const { id, accountId, pageId, refreshType, outcome, success, errorCode, errorMessage, extension } = entry
  return {
    id,
    at: isoTime(entry.refreshedAt),
    accountId,
    name: account?.displayName ?? accountId,
    platform: account?.platform ?? null,
    pageId,
    pageName: page?.name ?? null,
    refreshType,
    outcome,
    success,
    errorCode,
    errorMessage,
    oldExpiresAt: isoTime(entry.oldExpiresAt),
    newExpiresAt: isoTime(entry.newExpiresAt),
    extension,
    generation: entry.generation,
    durationMs: entry.durationMs,
  }
}

function table(lines: readonly Line[]): string {
  const rows = lines.map((line) => {
    const { refreshedAt, refreshType, outcome, durationMs, errorCode, errorMessage } = line.entry
    return [
      isoTime(refreshedAt) ?? '',
      nameOf(line),
      refreshType,
      outcome,
      `${Math.round(durationMs)} ms`,
      endsOf(line.entry),
      [errorCode, errorMessage].filter(Boolean).join(': '),
    ]
  })
  return renderTable(['at', 'account', 'type', 'outcome', 'took', 'token ends', 'why'], rows)
}

function nameOf({ entry: { accountId, pageId }, account, page }: Line): string {
  const name = account?.displayName ?? accountId
  return pageId === null ? name : `Page ${page?.name ?? pageId} (of ${name})`
}

/** Before and after; a Page's token has no end, and what failed has no new one. */
function endsOf({ oldExpiresAt, newExpiresAt }: RefreshLogEntry): string {
  const minute = (time: number | null) => isoTime(time)?.slice(0, 16).replace('T', ' ') ?? '-'
  return newExpiresAt === null ? minute(oldExpiresAt) : `${minute(oldExpiresAt)} -> ${minute(newExpiresAt)}`
}
