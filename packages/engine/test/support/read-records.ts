import type { JournalRecord } from '../../src/journal/journal.ts'
import { journalFiles } from '../../src/journal/journal-files.ts'
import { readJournalFile } from '../../src/journal/read-journal.ts'

/** All that a journal holds, in the order of its files; null for what cannot be read. */
export async function readRecords(dir: string): Promise<(JournalRecord | null)[]> {
  const records: (JournalRecord | null)[] = []
  for (const file of await journalFiles(dir)) for await (const record of readJournalFile(file)) records.push(record)
  return records
}
