import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Clock, CodedError, type Hook, makeId, noHook, SECOND } from '@tokenkeeper/core'
import type { OrphanSpool, Spool } from './spool.ts'
import { isEmpty, isLocked, openSpoolFile, type SpoolFile } from './spool-file.ts'

/** How long a probe's good result is believed (ms). */
const PROBE_TTL_MS = SECOND
/** How often a new file may be lost to a sibling before that is no accident. */
const CREATE_TRIES = 4
/** `<pid>-<id>.db`. Nothing else in the directory is ever opened, let alone deleted. */
const SPOOL_NAME = /^\d+-[0-9a-f]{24}\.db$/

/** A spool in `dir` (made 0700). Nothing is opened before the first use. */
export function createSpool({ dir, clock, hook = noHook }: { dir: string; clock: Clock; hook?: Hook }): Spool {
  let own: OwnSpool | null = null
  let probedAt = Number.NEGATIVE_INFINITY

  function ownFile(): SpoolFile {
    // A file that somebody deleted takes records that nobody would ever find; those in it are still to be read.
    if (own && existsSync(own.path)) return own.file
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const made = createOwn(dir)
    try {
      for (const result of own?.file.content().results ?? []) made.file.put(result)
    } catch (error) {
      discard(made)
      throw error
    }
    own?.file.close()
    own = made
    return own.file
  }

  function write<T>(action: (file: SpoolFile) => T): T {
    try {
      return action(ownFile())
    } catch (error) {
      probedAt = Number.NEGATIVE_INFINITY
      throw new CodedError('SPOOL_UNAVAILABLE', { cause: error })
    }
  }

  return {
    check() {
      if (clock.monotonic() - probedAt < PROBE_TTL_MS) return
      write((file) => file.probe())
      probedAt = clock.monotonic()
    },
    async put(result) {
      await hook('spool.before-fsync', result.accountId)
      write((file) => file.put(result))
      await hook('spool.after-fsync', result.accountId)
    },
    erase(attemptId) {
      try {
        own?.file.erase(attemptId)
      } catch {
        probedAt = Number.NEGATIVE_INFINITY
      }
    },
    own: () => own?.file.content().results ?? [],
    *orphans() {
      for (const path of spoolFiles(dir)) if (path !== own?.path) yield* orphan(path)
    },
    [Symbol.dispose]() {
      if (!own) return
      if (isEmpty(own.file.content())) discard(own)
      else own.file.close()
      own = null
    },
  }
}

interface OwnSpool {
  readonly path: string
  readonly file: SpoolFile
}

/** A sibling may take a file that is just being made for an orphan and delete it: then another is made. */
function createOwn(dir: string): OwnSpool {
  for (let tries = 1; ; tries++) {
    const path = join(dir, `${process.pid}-${makeId()}.db`)
    try {
      const file = withUmask(() => openSpoolFile(path))
      if (existsSync(path)) return { path, file }
      file.close()
    } catch (error) {
      if (isLocked(error) && tries < CREATE_TRIES) continue
      remove(path) // begun on a full disk, say
      throw error
    }
  }
}

/** Deletes it while it is still locked, so that nobody can have written into it. */
function discard({ path, file }: OwnSpool): void {
  remove(path)
  file.close()
}

/** Of two adopters of one file, the later one finds it gone. */
function remove(path: string): void {
  if (existsSync(path)) rmSync(path, { force: true })
}

/** Paths of all spools in the directory, whosever they are. */
export function spoolFiles(dir: string): string[] {
  return namesIn(dir)
    .filter((name) => SPOOL_NAME.test(name))
    .map((name) => join(dir, name))
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw new CodedError('SPOOL_UNAVAILABLE', { cause: error })
  }
}

/** Yields the spool if its owner is dead; deletes the file afterwards if nothing is left in it. */
function* orphan(path: string): Generator<OrphanSpool> {
  let file: SpoolFile
  try {
    file = openSpoolFile(path)
  } catch (error) {
    // Locked: its owner lives, or another sibling is at it.
    if (!isLocked(error)) yield { results: [], unreadable: [basename(path)], erase: () => {} }
    return
  }
  try {
    yield { ...file.content(), erase: file.erase }
    if (isEmpty(file.content())) remove(path)
  } finally {
    file.close()
  }
}

function withUmask<T>(action: () => T): T {
  const before = process.umask(0o077)
  try {
    return action()
  } finally {
    process.umask(before)
  }
}
