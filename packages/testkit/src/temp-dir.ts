import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempDir extends AsyncDisposable {
  readonly path: string
}

/** A new empty directory under the system's temp directory, removed with its content on dispose. */
export function tempDir(): Promise<TempDir> {
  return makeTempDir(tmpdir())
}

/** As tempDir, but in memory where the system offers that: for servers that sync every write. */
export function tempDirInMemory(): Promise<TempDir> {
  return makeTempDir(isWritable('/dev/shm') ? '/dev/shm' : tmpdir())
}

async function makeTempDir(parent: string): Promise<TempDir> {
  const path = await mkdtemp(join(parent, 'tokenkeeper-'))
  // The retries are for files that a dying process still adds while they are removed.
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 })
  return { path, [Symbol.asyncDispose]: remove }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
