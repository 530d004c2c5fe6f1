import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CodedError } from '@tokenkeeper/core'
import type { StoreInspection } from '../inspect.ts'
import { toStoreError } from './errors.ts'
import { migrate } from './migrations/index.ts'

/** A writer that holds the file longer than this keeps ours out too. */
const BUSY_TIMEOUT_MS = 5_000

/** See inspectStore. Blocks while it looks through the file for damage. */
export function inspectSqlite(path: string): StoreInspection {
  if (!existsSync(path)) throw new CodedError('STORE_NOT_FOUND')
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    const known = knownSchema()
    const damage = value(db, 'PRAGMA quick_check(1)')
    if (damage !== 'ok') throw new CodedError('STORE_CORRUPT', { internal: String(damage) })
    db.exec('BEGIN IMMEDIATE; ROLLBACK') // takes the lock of a write, and writes nothing
    const there = indexesOf(db)
    const journal = value(db, 'PRAGMA journal_mode')
    return {
      kind: 'sqlite',
      version: String(value(db, 'SELECT sqlite_version()')),
      schema: { found: Number(value(db, 'PRAGMA user_version')), known: known.version },
      missingIndexes: known.indexes.filter((index) => !there.includes(index)),
      notDurable: journal === 'wal' ? null : `its journal mode is ${journal}, not wal`,
      copies: 1,
    }
  } catch (error) {
    throw toStoreError(error)
  } finally {
    db?.close()
  }
}

function knownSchema(): { version: number; indexes: string[] } {
  using db = new DatabaseSync(':memory:')
  migrate(db)
  return { version: Number(value(db, 'PRAGMA user_version')), indexes: indexesOf(db) }
}

function indexesOf(db: DatabaseSync): string[] {
  return db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name`)
    .all()
    .map(({ name }) => String(name))
}

function value(db: DatabaseSync, sql: string): unknown {
  return Object.values(db.prepare(sql).get() ?? {})[0]
}
