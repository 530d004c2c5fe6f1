import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CodedError } from '@tokenkeeper/core'
import { isBusy, toStoreError } from './errors.ts'
import { assertCurrent, migrate } from './migrations/index.ts'

const OPEN_TRIES = 50
const OPEN_BUSY_TIMEOUT_MS = 100
/** Up to this size the whole file is checked at opening (some 50 ms); damage in a larger one shows when it is read. */
const CHECK_UP_TO_BYTES = 64 * 1024 * 1024

/**
 * Opens the database file, made with its directory for this user alone if it is not there, and migrates it. Blocks for
 * up to about 5 s while other processes do the same.
 * Throws STORE_UNAVAILABLE, STORE_CORRUPT or STORE_TOO_NEW.
 */
export function openDatabase(path: string, busyTimeoutMs: number): DatabaseSync {
  const file = resolve(path)
  let db: DatabaseSync | undefined
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600)) // SQLite gives its -wal and -shm files the same mode
    db = new DatabaseSync(file, { timeout: OPEN_BUSY_TIMEOUT_MS })
    prepareFile(db)
    if (statSync(file).size <= CHECK_UP_TO_BYTES) check(db)
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    return db
  } catch (error) {
    db?.close()
    throw toStoreError(error)
  }
}

/** Opens the file as it is. Throws STORE_UNAVAILABLE, STORE_CORRUPT, STORE_TOO_NEW or STORE_OUTDATED. */
export function openToRead(path: string, busyTimeoutMs: number): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(resolve(path), { readOnly: true, timeout: busyTimeoutMs })
    assertCurrent(db)
    return db
  } catch (error) {
    db?.close()
    throw toStoreError(error)
  }
}

function prepareFile(db: DatabaseSync): void {
  for (let tries = 1; ; tries++) {
    try {
      const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode
      if (mode !== 'wal') throw new CodedError('STORE_UNAVAILABLE', { internal: `journal mode is ${mode}, not wal` })
      db.exec('PRAGMA synchronous = FULL')
      migrate(db)
      return
    } catch (error) {
      // The change to WAL may be refused at once, whatever the time-out says.
      if (!isBusy(error) || tries >= OPEN_TRIES) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

function check(db: DatabaseSync): void {
  const verdict = db.prepare('PRAGMA quick_check(1)').get()?.quick_check
  if (verdict !== 'ok') throw new CodedError('STORE_CORRUPT', { internal: String(verdict) })
}
