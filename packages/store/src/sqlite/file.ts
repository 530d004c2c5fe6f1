import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { CodedError } from '@tokenkeeper/core'
import { isBusy, toStoreError } from './errors.ts'

/** Database files as such: copied, checked and moved. */

/** What SQLite keeps beside a file that is in use, and the file itself: last, since it is nothing without the others. */
const PARTS = ['-wal', '-shm', '-journal', '']
const ALL_PAGES = 2 ** 31 - 1
const BUSY_TIMEOUT_MS = 5_000

/**
 * Copies the database at `path` as it stands at one moment to the empty file `to`. All pages in one step: else
 * whoever writes meanwhile would make it begin anew, again and again. Nobody waits for it. Rejects as the store does.
 */
export async function snapshot(path: string, to: string): Promise<void> {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
    await backup(db, to, { rate: ALL_PAGES })
  } catch (error) {
    throw toStoreError(error)
  } finally {
    db?.close()
  }
}

/**
 * Makes one file of a database that nobody uses, reads all of it, and returns how many rows each table has. Throws
 * BACKUP_INVALID if it is damaged, or not ours.
 */
export function verifyFile(path: string): Record<string, number> {
  let db: DatabaseSync | undefined
  try {
    chmodSync(path, 0o600)
    db = new DatabaseSync(path, { timeout: 0 })
    db.exec('PRAGMA journal_mode = DELETE')
    const verdict = db.prepare('PRAGMA integrity_check(1)').get()?.integrity_check
    if (verdict !== 'ok') throw new CodedError('BACKUP_INVALID', { internal: String(verdict) })
    const names = db
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'pings' ORDER BY name`)
      .all()
    const rows = names.map(({ name }) => [String(name), countOf(db!, String(name))] as const)
    if (!rows.some(([name]) => name === 'accounts')) {
      throw new CodedError('BACKUP_INVALID', { internal: 'it has no accounts table' })
    }
    return Object.fromEntries(rows)
  } catch (error) {
    const { code, internal } = toStoreError(error)
    if (code !== 'STORE_CORRUPT') throw error
    throw new CodedError('BACKUP_INVALID', { cause: error, ...(internal !== undefined && { internal }) })
  } finally {
    db?.close()
  }
}

function countOf(db: DatabaseSync, table: string): number {
  return Number(db.prepare(`SELECT count(*) AS count FROM "${table}"`).get()?.count)
}

/** Whether anybody has the database open: while somebody does, a file cannot be taken out of WAL mode. */
export function isInUse(path: string): boolean {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: 0 })
    const mode = db.prepare('PRAGMA journal_mode').get()?.journal_mode
    db.exec('PRAGMA journal_mode = DELETE')
    if (mode === 'wal') db.exec('PRAGMA journal_mode = WAL')
    return false
  } catch (error) {
    return isBusy(error) // a damaged file is not in use
  } finally {
    db?.close()
  }
}

/**
 * What there is of the database at `path`. What is left beside a file that is gone counts too: SQLite would write it into
 * whatever database comes to stand there.
 */
export function partsOf(path: string): string[] {
  return PARTS.map((part) => path + part).filter((part) => existsSync(part))
}

/** Moves all parts of a database that nobody uses; durable when it returns. */
export function moveFile(from: string, to: string): void {
  const parts = partsOf(from)
  for (const part of parts) sync(part, 'r+')
  for (const part of parts) renameSync(part, to + part.slice(from.length))
  sync(dirname(to), 'r')
}

/** Gives a database of one part another name in its directory; durable when it returns. Throws EEXIST if that is taken. */
export function nameFile(from: string, to: string): void {
  sync(from, 'r+')
  linkSync(from, to)
  rmSync(from)
  sync(dirname(to), 'r')
}

function sync(path: string, flags: 'r' | 'r+'): void {
  const file = openSync(path, flags)
  fsyncSync(file)
  closeSync(file)
}
