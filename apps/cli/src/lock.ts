import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Holds a lock for this process until disposed; null if another process holds it. The kernel frees it at the process's
 * death, however that comes, so there is no stale lock to clean up.
 */
export function tryLock(path: string): Disposable | null {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; COMMIT')
    return { [Symbol.dispose]: () => db.close() }
  } catch (error) {
    db.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null
    throw error
  }
}

const SQLITE_BUSY = 5
