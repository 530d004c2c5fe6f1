import { join } from 'node:path'
import { systemClock } from '@tokenkeeper/core'
import { inspectJournal } from '@tokenkeeper/engine'
import { backupStore, type CopiedKind, type CopyCounts, sqlitePath } from '@tokenkeeper/store'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'

/** Makes one checked file of the whole database, while workers go on. */
export async function backup({ file }: { readonly file: string }, output: Output): Promise<number> {
  const config = loadSettings()
  const url = config.store.url.reveal()
  const start = systemClock.monotonic()
  const { tables, bytes, changed } = await copy(url, file, output)
  const journal = await inspectJournal(join(config.dataDir, 'journal'))

  output.say(renderTable(['table', 'rows'], Object.entries(tables)))
  output.say(`\nBacked up to ${file}, ${(bytes / 2 ** 20).toFixed(1)} MB, read and checked.`)
  if (changed > 0) output.say(`${changed} accounts changed meanwhile: the journal holds what they are now.`)
  output.say(`\nThis is not in it, and a restore needs it:
- the keys (TOKEN_ENCRYPTION_KEYS, or ${join(config.dataDir, 'keys')}), kept elsewhere than the backup;
- the journal of each machine (here ${join(config.dataDir, 'journal')}, ${
    journal.since === null ? 'still empty' : `since ${journal.since}`
  }) for what is refreshed from now on.`)
  output.result({
    file,
    from: sqlitePath(url) === null ? 'mongodb' : 'sqlite',
    bytes,
    tables,
    changed,
    journal: { since: journal.since, files: journal.files, bytes: journal.bytes, writable: journal.writable },
    durationMs: Math.round(systemClock.monotonic() - start),
  })
  return 0
}

async function copy(url: string, file: string, output: Output) {
  using progress = output.progress('Copying')
  const read = new Map<CopiedKind, number>()
  const onBatch = (kind: CopiedKind, counts: CopyCounts) => {
    read.set(kind, counts.read)
    progress.update([...read.values()].reduce((sum, each) => sum + each, 0))
  }
  return backupStore(url, file, { onBatch })
}
