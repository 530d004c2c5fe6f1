import { existsSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { CodedError, type ErrorCode } from '@tokenkeeper/core'
import type { SourceRow } from './row.ts'

export interface Reject {
  readonly row: SourceRow
  readonly code: ErrorCode
  readonly message: string
}

export interface Rejects extends AsyncDisposable {
  /** Keeps them, each as a line of JSON with what stood there. */
  add(rejects: readonly Reject[]): Promise<void>
}

/**
 * The file of the lines that were not imported. It is made when there is the first of them, and only its owner may read
 * it: it holds secrets. One of an earlier import, in which somebody may be mending lines, goes on as `path.1` and so on.
 * `add` rejects with INVALID_REQUEST if it cannot be written.
 */
export function openRejects(path: string): Rejects {
  let file: Awaited<ReturnType<typeof open>> | null = null
  return {
    async add(rejects) {
      if (rejects.length === 0) return
      const lines = rejects.map(({ row: { line, fields, text }, code, message }) =>
        JSON.stringify({ line, code, message, ...(fields === null ? { text } : { fields }) }, bigintsAsText),
      )
      try {
        file ??= await create(path)
        await file.appendFile(`${lines.join('\n')}\n`)
      } catch (cause) {
        throw new CodedError('INVALID_REQUEST', { publicMessage: 'The file of --rejects cannot be written.', cause })
      }
    },
    async [Symbol.asyncDispose]() {
      await file?.close()
    },
  }
}

async function create(path: string) {
  if (existsSync(path)) {
    let number = 1
    while (existsSync(`${path}.${number}`)) number++
    await rename(path, `${path}.${number}`)
  }
  return open(path, 'wx', 0o600)
}

function bigintsAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
