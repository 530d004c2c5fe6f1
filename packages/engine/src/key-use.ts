import { readFile } from 'node:fs/promises'
import type { JournalRecord } from './journal/journal.ts'
import { journalFiles } from './journal/journal-files.ts'
import { readJournalFile } from './journal/read-journal.ts'
import { spoolFiles } from './spool/create-spool.ts'

/** What one key seals in the files of this machine. */
export interface LocalKeyUse {
  /** Answers in spools. */
  readonly spooled: number
  /** Credentials in the journal. */
  readonly journaled: number
  /** The last day of the journal (UTC, `2026-02-01`) that has any; null = none has. */
  readonly lastDay: string | null
}

interface Dirs {
  readonly spool: string
  readonly journal: string
}

const NOT_USED: LocalKeyUse = { spooled: 0, journaled: 0, lastDay: null }

/** By key id. Reads line after line; rejects if a file cannot be read. */
export async function localKeyUse(dirs: Dirs): Promise<ReadonlyMap<string, LocalKeyUse>> {
  const uses = new Map<string, LocalKeyUse>()
  const note = (keyId: string, noted: (use: LocalKeyUse) => Partial<LocalKeyUse>) => {
    const use = uses.get(keyId) ?? NOT_USED
    uses.set(keyId, { ...use, ...noted(use) })
  }
  for (const keyId of await spooledKeys(dirs.spool)) note(keyId, ({ spooled }) => ({ spooled: spooled + 1 }))
  for (const file of await journalFiles(dirs.journal)) {
    for await (const record of readJournalFile(file)) {
      for (const keyId of keysOf(record)) {
        note(keyId, ({ journaled }) => ({ journaled: journaled + 1, lastDay: file.day }))
      }
    }
  }
  return uses
}

/**
 * The key of each spooled answer. Whoever holds a spool keeps it locked, so that its bytes are read: records lie there as
 * text, and what was erased is overwritten. A long text may be cut in two, but hardly at both places that name the key.
 */
export async function spooledKeys(dir: string): Promise<string[]> {
  const keys: string[] = []
  for (const path of spoolFiles(dir)) {
    const text = await readFile(path, 'latin1').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '' // its owner has ended
      throw error
    })
    const [sealed, named] = [/"sealed":"v1\.([\w-]+)\./g, /"keyId":"([\w-]+)"/g].map((pattern) =>
      [...text.matchAll(pattern)].map((match) => match[1]!),
    )
    keys.push(...(sealed!.length >= named!.length ? sealed! : named!))
  }
  return keys
}

function keysOf(record: JournalRecord | null): string[] {
  switch (record?.kind) {
    case 'refreshed':
      return [record.result.keyId]
    case 'connected': {
      const { keyId, previousKeyId, appPasswordKeyId, formerCredentials } = record.account
      const former = formerCredentials.map((one) => one.keyId)
      return [keyId, previousKeyId, appPasswordKeyId, ...former].filter((id) => id !== null)
    }
    default:
      return []
  }
}
