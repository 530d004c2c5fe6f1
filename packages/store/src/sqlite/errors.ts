import { CodedError, toCodedError } from '@tokenkeeper/core'

const BUSY = 5
const LOCKED = 6
/** PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, NOLFS: the file may be fine and usable later. */
const UNAVAILABLE = new Set([3, BUSY, LOCKED, 7, 8, 10, 13, 14, 22])
/** CORRUPT, NOTADB. */
const CORRUPT = new Set([11, 26])

/** SQLite's primary result code (https://sqlite.org/rescode.html), or null for an error that is not SQLite's. */
function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null
  return error.errcode & 0xff
}

/** Another connection holds the lock; trying again soon may succeed. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error)
  return code === BUSY || code === LOCKED
}

/** STORE_UNAVAILABLE, STORE_CORRUPT or, for a mistake of ours, INTERNAL. */
export function toStoreError(error: unknown): CodedError {
  const code = resultCode(error)
  const details = { internal: error instanceof Error ? error.message : String(error), cause: error }
  if (code !== null && CORRUPT.has(code)) return new CodedError('STORE_CORRUPT', details)
  if (code !== null && UNAVAILABLE.has(code)) return new CodedError('STORE_UNAVAILABLE', details)
  if (error instanceof Error && 'syscall' in error) return new CodedError('STORE_UNAVAILABLE', details)
  return toCodedError(error)
}
