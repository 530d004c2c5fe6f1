import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { CodedError, makeId } from '@tokenkeeper/core'
import { type CopyOptions, copyStore } from './copy.ts'
import { openStore, sqlitePath } from './open-store.ts'
import { moveFile, snapshot, verifyFile } from './sqlite/file.ts'
import { createSqliteStore } from './sqlite/index.ts'

export interface BackupSummary {
  /** How many rows each table of the backup has. */
  readonly tables: Readonly<Record<string, number>>
  readonly bytes: number
  /** Accounts that changed in the source while it was copied; each is whole in the backup. SQLite: none, ever. */
  readonly changed: number
}

/**
 * Makes one SQLite file (0600) of all that a store holds, while others work on it: of SQLite as it stands at one moment,
 * of MongoDB one document after another. It is read and checked before it gets its name. Rejects with BACKUP_EXISTS,
 * BACKUP_UNWRITABLE, BACKUP_INVALID if the copy does not hold what was read, STORE_NOT_FOUND, or as the store does.
 */
export async function backupStore(
  url: string,
  file: string,
  options: Pick<CopyOptions, 'onBatch'> = {},
): Promise<BackupSummary> {
  const target = resolve(file)
  if (existsSync(target)) throw new CodedError('BACKUP_EXISTS')
  const draft = `${target}.${makeId()}.draft`
  makeFile(draft)
  try {
    const path = sqlitePath(url)
    const changed = path === null ? await copyInto(url, draft, options) : await snapshotOf(path, draft)
    const tables = verifyFile(draft)
    moveFile(draft, target)
    return { tables, bytes: statSync(target).size, changed }
  } finally {
    for (const rest of ['', '-wal', '-shm', '-journal']) rmSync(draft + rest, { force: true })
  }
}

function makeFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'wx', 0o600))
  } catch (cause) {
    throw new CodedError('BACKUP_UNWRITABLE', { cause })
  }
}

async function snapshotOf(path: string, draft: string): Promise<number> {
  if (!existsSync(path)) throw new CodedError('STORE_NOT_FOUND')
  await snapshot(path, draft)
  return 0
}

/** What others change or remove while it is read is no fault of the copy. */
async function copyInto(url: string, draft: string, options: Pick<CopyOptions, 'onBatch'>): Promise<number> {
  await using source = await openStore(url, { mustExist: true })
  await using target = createSqliteStore({ path: draft })
  const { reasons } = await copyStore(source, target, options)
  if (reasons.different + reasons.newer > 0) {
    throw new CodedError('BACKUP_INVALID', { publicMessage: 'The backup does not hold what was read: try again.' })
  }
  return reasons.changed + reasons.only_in_target
}
