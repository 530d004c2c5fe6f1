import { createHash, hash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, rmSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { CodedError } from '@tokenkeeper/core'
import { moveFile, verifyFile } from '@tokenkeeper/store'
import type { Target } from './target.ts'

/** A copy of the backup, beside its target: what is done to it is seen by nobody until it is put in its place. */
export interface Stage {
  readonly path: string
  /** A restore of the same backup to the same place was cut off: spooled answers may be in here, and nowhere else. */
  readonly isResumed: boolean
}

/** Rejects with INPUT_MISSING or BACKUP_INVALID. */
export async function openStage(file: string, { name, workPath }: Target): Promise<Stage> {
  if (!existsSync(file)) throw new CodedError('INPUT_MISSING', { publicMessage: `There is no file ${file}.` })
  const path = `${workPath}.restoring-${hash('sha256', `${await digestOf(file)} ${name}`).slice(0, 16)}`
  if (existsSync(path)) return { path, isResumed: true }
  const draft = `${path}.draft`
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    await copyFile(file, draft)
    verifyFile(draft)
    moveFile(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
  return { path, isResumed: false }
}

async function digestOf(file: string): Promise<string> {
  const digest = createHash('sha256')
  await pipeline(createReadStream(file), digest).catch((cause) => {
    throw new CodedError('INPUT_MISSING', { publicMessage: `${file} cannot be read: check its rights.`, cause })
  })
  return digest.digest('hex')
}
