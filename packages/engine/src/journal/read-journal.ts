import { open } from 'node:fs/promises'
import { type Account, type AuditEntry, CodedError } from '@tokenkeeper/core'
import { isRefreshResult } from '../spool/record.ts'
import type { JournalRecord } from './journal.ts'
import type { JournalFile } from './journal-files.ts'

/**
 * The records of a file in the order of their writing, one line at a time; null for a line that cannot be read: it is
 * damaged, or of a version that this program does not know. What a SIGKILL cut off at the end is left out. Rejects with
 * JOURNAL_UNREADABLE.
 */
export async function* readJournalFile({ path }: JournalFile): AsyncGenerator<JournalRecord | null> {
  const file = await open(path).catch((cause) => {
    throw new CodedError('JOURNAL_UNREADABLE', { cause })
  })
  let isBroken = false
  for await (const line of file.readLines()) {
    if (isBroken) yield null
    const record = readLine(line)
    isBroken = record === null
    if (record) yield record
  }
}

function readLine(line: string): JournalRecord | null {
  try {
    const record = JSON.parse(line)
    return record?.v === 1 && isRecord(record) ? record : null
  } catch {
    return null
  }
}

function isRecord(record: Partial<Record<'kind' | 'result' | 'account' | 'audit', unknown>>): record is JournalRecord {
  switch (record.kind) {
    case 'refreshed':
      return isRefreshResult(record.result)
    case 'connected':
      return isAccount(record.account)
    case 'removed':
      return isRemoval(record.audit)
    default:
      return false
  }
}

/** Our own lines are whole or cut off; this tells them from what is none of ours. */
function isAccount(value: unknown): boolean {
  const { id, platform, connectId, sealedCredential, keyId, generation } = (value ?? {}) as Partial<Account>
  const texts = [id, platform, connectId, sealedCredential, keyId]
  return texts.every((text) => typeof text === 'string' && text !== '') && Number.isSafeInteger(generation)
}

function isRemoval(value: unknown): boolean {
  const { id, accountId, action } = (value ?? {}) as Partial<AuditEntry>
  return typeof id === 'string' && typeof accountId === 'string' && action === 'account.removed'
}
