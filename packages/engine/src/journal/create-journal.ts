import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, MINUTE, makeId, SECOND } from '@tokenkeeper/core'
import type { Logger } from '@tokenkeeper/telemetry'
import type { Journal, JournalRecord } from './journal.ts'
import { dayOf, journalFiles } from './journal-files.ts'

/** Records that come within this time share one write; a SIGKILL costs as much of the journal, and nothing else. */
const LINGER_MS = 100
const RETRY_MS = 5 * SECOND
const COMPLAIN_EVERY_MS = MINUTE
/** Kept in memory while nothing can be written; the oldest go first. */
const MOST_WAITING = 10_000

interface JournalOptions {
  readonly dir: string
  /** Files of days that are over for longer are deleted by `prune` (ms). */
  readonly keepMs: number
  readonly clock: Clock
  readonly logger: Logger
}

/** A journal in `dir` (made 0700, its files 0600). Nothing is made before the first record. */
export function createJournal({ dir, keepMs, clock, logger }: JournalOptions): Journal {
  let name = newName()
  let waiting: JournalRecord[] = []
  let writing: Promise<void> | null = null
  let hurry = new AbortController()
  let lastPath: string | null = null
  let complainedAt = Number.NEGATIVE_INFINITY

  async function writeAll(): Promise<void> {
    for (let waitMs = LINGER_MS; waiting.length > 0; ) {
      await clock.sleep(waitMs, hurry.signal)
      const records = waiting
      waiting = []
      try {
        await write(join(dir, `${dayOf(clock.now())}-${name}`), records)
        waitMs = LINGER_MS
      } catch (error) {
        lastPath = null
        // Half a line may have stayed, which what comes next must not be glued to.
        name = newName()
        waiting = [...records, ...waiting].slice(-MOST_WAITING)
        complain(error)
        if (hurry.signal.aborted) return
        waitMs = RETRY_MS
      }
    }
  }

  function begin(): void {
    writing ??= writeAll().finally(() => {
      writing = null
      // What was appended in this very moment, unless it is closed.
      if (waiting.length > 0 && !hurry.signal.aborted) begin()
    })
  }

  async function write(path: string, records: readonly JournalRecord[]): Promise<void> {
    const isNew = path !== lastPath
    if (isNew) await mkdir(dir, { recursive: true, mode: 0o700 })
    await appendDurably(path, records.map((record) => `${JSON.stringify({ v: 1, ...record })}\n`).join(''))
    if (isNew) await syncDirectory(dir)
    lastPath = path
  }

  function complain(error: unknown): void {
    if (clock.monotonic() - complainedAt < COMPLAIN_EVERY_MS) return
    complainedAt = clock.monotonic()
    logger.error(
      { dir, waiting: waiting.length, err: error },
      'the journal cannot be written: a restore would miss what is refreshed now',
    )
  }

  return {
    append(record) {
      waiting.push(record)
      if (waiting.length > MOST_WAITING) waiting.shift()
      begin()
    },
    async prune() {
      const before = dayOf(clock.now() - keepMs)
      const old = (await journalFiles(dir)).filter(({ day }) => day < before)
      for (const { path } of old) await rm(path, { force: true }) // a sibling may be faster
      return old.length
    },
    /** A late answer that is appended afterwards is still written, but nobody waits for that. */
    async [Symbol.asyncDispose]() {
      hurry.abort()
      await writing
      hurry = new AbortController()
    },
  }
}

function newName(): string {
  return `${process.pid}-${makeId()}.ndjson`
}

/** All or nothing, as far as the disk allows. */
async function appendDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'a', 0o600)
  try {
    const { size } = await file.stat()
    try {
      await file.appendFile(text)
      await file.datasync()
    } catch (error) {
      await file.truncate(size)
      throw error
    }
  } finally {
    await file.close()
  }
}

async function syncDirectory(dir: string): Promise<void> {
  const directory = await open(dir, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
