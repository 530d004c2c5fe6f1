import type { StoreInspection } from '@tokenkeeper/store'
import { type Finding, failed, ok, warning } from './finding.ts'

/** Its version and schema, its indexes, and whether what it acknowledged lasts. */
export function checkStore(store: StoreInspection): Finding[] {
  return [version(store), indexes(store), durability(store)]
}

function version({ kind, version: found, schema }: StoreInspection): Finding {
  const name = `${kind === 'sqlite' ? 'SQLite' : 'MongoDB'} ${found}`
  if (schema.found > schema.known) {
    return failed(
      `The database was made by a newer Tokenkeeper (schema ${schema.found}, known ${schema.known}).`,
      'Upgrade this one.',
    )
  }
  if (schema.found < schema.known) {
    return warning(
      `The database is of an earlier version (schema ${schema.found} of ${schema.known}).`,
      'Take a backup; the next start brings it up to date.',
    )
  }
  return ok(`${name} answers and takes writes (schema ${schema.found}).`)
}

function indexes({ missingIndexes, schema }: StoreInspection): Finding {
  if (missingIndexes.length === 0) return ok('All indexes are there.')
  const says = `Indexes are missing: ${missingIndexes.join(', ')}.`
  if (schema.found < schema.known) return warning(says, 'The next start makes those of the newer version.')
  return failed(says, 'MongoDB: restart a process, which makes them again. SQLite: restore a backup.')
}

function durability({ kind, notDurable, copies }: StoreInspection): Finding {
  if (notDurable !== null) {
    return failed(
      `What the database acknowledged may be lost: ${notDurable}.`,
      'MongoDB: use a server that keeps a journal on disk. SQLite: any process that writes sets this right at its start.',
    )
  }
  if (kind === 'sqlite') return ok('Each write is on disk before it counts (WAL, synchronous FULL).')
  const where = copies === null || copies === 1 ? 'on the disk of the one server' : `on most of ${copies} servers`
  return ok(`Each write is ${where} before it counts (majority, journal).`)
}
