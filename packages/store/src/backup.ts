import { closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { CodedError, makeId } from '@tokenkeeper/core'
import type { CopyOptions } from './copy.ts'
import { copyInUse } from './copy-in-use.ts'
import { openStore, sqlitePath } from './open-store.ts'
import { moveFile, nameFile, partsOf, snapshot, verifyFile } from './sqlite/file.ts'
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
    giveName(draft, target)
    return { tables, bytes: statSync(target).size, changed }
  } finally {
    for (const part of partsOf(draft)) rmSync(part)
  }
}

function makeFile(path: string): void {
  try {
    // A directory that is not there may be a disk that is not mounted.
    closeSync(openSync(path, 'wx', 0o600))
  } catch (cause) {
    throw new CodedError('BACKUP_UNWRITABLE', { cause })
  }
}

/** Others may have made a file of this name meanwhile, which is seen but where a disk knows no links. */
function giveName(draft: string, target: string): void {
  try {
    nameFile(draft, target)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw new CodedError('BACKUP_EXISTS', { cause })
    moveFile(draft, target)
  }
}

async function snapshotOf(path: string, draft: string): Promise<number> {
  if (!existsSync(path)) throw new CodedError('STORE_NOT_FOUND')
  await snapshot(path, draft)
  return 0
}

async function copyInto(url: string, draft: string, options: Pick<CopyOptions, 'onBatch'>): Promise<number> {
  await using source = await openStore(url, { mustExist: true })
  await using target = createSqliteStore({ path: draft })
  return await copyInUse(source, target, options)
}
