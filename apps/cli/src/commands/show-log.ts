import type { RefreshLogEntry } from '@tokenkeeper/core'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'
import { isoTime } from '../times.ts'

interface Options {
  readonly limit: number
  readonly failed?: boolean
  readonly sandbox?: boolean
}

export async function showLog({ limit, failed, sandbox }: Options, output: Output): Promise<number> {
  await using store = await openExistingStore(loadSettings(sandbox))
  const entries = (await store?.log.list({ limit, ...(failed && { success: false }) })) ?? []
  const accounts = (await store?.accounts.getMany([...new Set(entries.map(({ accountId }) => accountId))])) ?? []
  const names = new Map(accounts.map(({ id, displayName }) => [id, displayName]))
  const nameOf = ({ accountId }: RefreshLogEntry) => names.get(accountId) ?? accountId
  if (output.json) output.result(entries.map((entry) => ({ ...entryForPrograms(entry), name: nameOf(entry) })))
  else if (entries.length === 0) output.say(failed ? 'No refresh has failed.' : 'Nothing was refreshed yet.')
  else output.say(logTable(entries, nameOf))
  return 0
}

function entryForPrograms(entry: RefreshLogEntry) {
  const { id, accountId, refreshType, outcome, success, errorCode, errorMessage, generation, durationMs } = entry
  const at = isoTime(entry.refreshedAt)
  return { id, at, accountId, refreshType, outcome, success, errorCode, errorMessage, generation, durationMs }
}

function logTable(entries: readonly RefreshLogEntry[], nameOf: (entry: RefreshLogEntry) => string): string {
  const rows = entries.map((entry) => [
    isoTime(entry.refreshedAt) ?? '',
    nameOf(entry),
    entry.refreshType,
    entry.outcome,
    `${Math.round(entry.durationMs)} ms`,
    [entry.errorCode, entry.errorMessage].filter(Boolean).join(': '),
  ])
  return renderTable(['at', 'account', 'type', 'outcome', 'took', 'why'], rows)
}
