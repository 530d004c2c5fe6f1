import { createHash, hash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { CodedError } from '@tokenkeeper/core'
import { moveFile, verifyFile } from '@tokenkeeper/store'
import type { Target } from './target.ts'

/** A copy of the backup, beside its target: what is done to it is seen by nobody until it is put in its place. */
export interface Stage {
  readonly path: string
  /** A restore of the same backup to the same place was cut off. */
  readonly isResumed: boolean
}

/** Rejects with INPUT_MISSING or BACKUP_INVALID. */
export async function openStage(file: string, { name, workPath }: Target): Promise<Stage> {
  if (!existsSync(file)) throw new CodedError('INPUT_MISSING', { publicMessage: `There is no file ${file}.` })
  assertWhole(file)
  const path = `${workPath}.restoring-${hash('sha256', `${await digestOf(file)} ${name}`).slice(0, 16)}`
  if (existsSync(path)) return { path, isResumed: true }
  const draft = `${path}.draft`
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    await pipeline(createReadStream(file), createWriteStream(draft, { mode: 0o600 }))
    verifyFile(draft)
    moveFile(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
  return { path, isResumed: false }
}

/** A database that was copied as it stood, not by `backup`, may have its latest part beside it. */
function assertWhole(file: string): void {
  const wal = `${file}-wal`
  if ((statSync(wal, { throwIfNoEntry: false })?.size ?? 0) === 0) return
  throw new CodedError('BACKUP_INVALID', {
    publicMessage: `${wal} holds a part of this database. Make one file of both: DATABASE_URL=sqlite:${file} tokenkeeper backup FILE. Then restore that.`,
  })
}

async function digestOf(file: string): Promise<string> {
  const digest = createHash('sha256')
  await pipeline(createReadStream(file), digest).catch((cause) => {
    throw new CodedError('INPUT_MISSING', { publicMessage: `${file} cannot be read: check its rights.`, cause })
  })
  return digest.digest('hex')
}
