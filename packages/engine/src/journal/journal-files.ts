import { access, constants, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError } from '@tokenkeeper/core'

/** `<day>-<pid>-<id>.ndjson`. Nothing else in the directory is ever read, let alone deleted. */
const JOURNAL_NAME = /^(\d{4}-\d\d-\d\d)-\d+-[0-9a-f]{24}\.ndjson$/

export interface JournalFile {
  readonly path: string
  /** On which its records were written (UTC, `2026-02-01`). */
  readonly day: string
}

/** `2026-02-01`, of a time in ms. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

/** The oldest day first; none where there is no directory. Rejects with JOURNAL_UNREADABLE. */
export async function journalFiles(dir: string): Promise<JournalFile[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new CodedError('JOURNAL_UNREADABLE', { cause: error })
  })
  return names.toSorted().flatMap((name) => {
    const day = JOURNAL_NAME.exec(name)?.[1]
    return day === undefined ? [] : [{ path: join(dir, name), day }]
  })
}

export interface JournalState {
  readonly files: number
  readonly bytes: number
  /** The day of the oldest record; null = there is none. */
  readonly since: string | null
  /** Whether this user may write there; a directory that is yet to be made counts as writable. */
  readonly writable: boolean
}

/** What there is of a journal, for people who look after it. */
export async function inspectJournal(dir: string): Promise<JournalState> {
  const files = await journalFiles(dir).catch(() => [])
  const sizes = await Promise.all(files.map(async ({ path }) => (await stat(path)).size))
  const writable = await access(dir, constants.W_OK | constants.X_OK).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  )
  return {
    files: files.length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    since: files[0]?.day ?? null,
    writable,
  }
}
