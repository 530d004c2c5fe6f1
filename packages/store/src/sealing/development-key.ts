import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { CodedError } from '@tokenkeeper/core'

/**
 * The key ring text of a development machine: the content of `<dataDir>/keys`, made with a fresh key if it is not
 * there (0600, the directory 0700). Processes that start at once agree on one key.
 * Throws KEY_RING_INVALID if the file cannot be read or made.
 */
export function loadOrCreateDevelopmentKey(dataDir: string): string {
  const path = join(dataDir, 'keys')
  try {
    return read(path) ?? create(dataDir, path)
  } catch (cause) {
    throw new CodedError('KEY_RING_INVALID', { publicMessage: `The key file ${path} cannot be read or made.`, cause })
  }
}

function create(dataDir: string, path: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  // The id is random too: a key made after the file was lost is then known as another key.
  const keyRing = `dev-${randomBytes(4).toString('hex')}:${randomBytes(32).toString('base64')}\n`
  const draft = `${path}.${randomBytes(8).toString('hex')}`
  writeDurably(draft, keyRing)
  try {
    linkSync(draft, path) // unlike a rename, refuses to replace the file of a faster process
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  } finally {
    unlinkSync(draft)
  }
  syncDirectory(dataDir)
  return readFileSync(path, 'utf8').trim()
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
