import { basename } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { RefreshResult } from '../result.ts'
import { readRecord } from './record.ts'
import type { SpoolContent } from './spool.ts'

/** One spool file, locked exclusively from open to close. */
export interface SpoolFile {
  put(result: RefreshResult): void
  erase(attemptId: string): void
  /** Never throws. */
  content(): SpoolContent
  /** A write that is as durable as `put`, to learn whether one would succeed. */
  probe(): void
  close(): void
}

/** Throws if the file cannot be opened and locked at once. */
export function openSpoolFile(path: string): SpoolFile {
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    // The kernel frees an exclusive lock at the process's death, also by SIGKILL, and not at SIGSTOP.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL')
    // What is erased leaves no trace: whoever looks for the use of a key reads the bytes of files that are locked.
    db.exec('PRAGMA secure_delete = ON; BEGIN EXCLUSIVE')
    db.exec('CREATE TABLE IF NOT EXISTS results (attempt_id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT')
    db.exec('CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT; COMMIT')
    return spoolFile(db, basename(path))
  } catch (error) {
    db.close()
    throw error
  }
}

/** Is the file locked by another process, or by another spool of this one? */
export function isLocked(error: unknown): boolean {
  const SQLITE_BUSY = 5
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY
}

function spoolFile(db: DatabaseSync, name: string): SpoolFile {
  const put = db.prepare('INSERT OR REPLACE INTO results (attempt_id, record) VALUES (?, ?)')
  const erase = db.prepare('DELETE FROM results WHERE attempt_id = ?')
  const all = db.prepare('SELECT attempt_id AS id, record FROM results ORDER BY attempt_id')
  const probe = db.prepare('INSERT OR REPLACE INTO probe (id, at) VALUES (1, unixepoch())')

  function content(): SpoolContent {
    const results: RefreshResult[] = []
    const unreadable: string[] = []
    try {
      for (const { id, record } of all.all()) {
        const result = readRecord(String(record))
        if (result) results.push(result)
        else unreadable.push(String(id))
      }
    } catch {
      unreadable.push(name)
    }
    return { results, unreadable }
  }

  return {
    content,
    put: (result) => void put.run(result.attempt.id, JSON.stringify(result)),
    erase: (attemptId) => void erase.run(attemptId),
    probe: () => void probe.run(),
    close: () => db.close(),
  }
}

export function isEmpty({ results, unreadable }: SpoolContent): boolean {
  return results.length === 0 && unreadable.length === 0
}
