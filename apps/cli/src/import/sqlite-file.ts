import { DatabaseSync } from 'node:sqlite'
import { CodedError } from '@tokenkeeper/core'
import type { Rows } from './row.ts'

/** The rows of a table (or view) in a SQLite file, which is opened to read alone. */
export async function* sqliteRows(path: string, table: string): Rows {
  using db = open(path)
  const found = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND lower(name) = lower(?)`)
    .get(table)
  if (!found) {
    throw new CodedError('IMPORT_SOURCE_UNREADABLE', { publicMessage: 'The SQLite file holds no table of this name.' })
  }
  const statement = db.prepare(`SELECT * FROM "${String(found.name).replaceAll('"', '""')}"`)
  statement.setReadBigInts(true)
  let line = 0
  for (const row of statement.iterate()) {
    line++
    yield { line, fields: Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])) }
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  return typeof value === 'bigint' ? String(value) : value
}

function open(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true })
  } catch (cause) {
    throw new CodedError('IMPORT_SOURCE_UNREADABLE', { publicMessage: 'The SQLite file cannot be read.', cause })
  }
}
