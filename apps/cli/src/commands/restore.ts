import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '@tokenkeeper/config'
import { CodedError, systemClock } from '@tokenkeeper/core'
import { inspectJournal } from '@tokenkeeper/engine'
import { sqlitePath } from '@tokenkeeper/store'
import type { Output } from '../output.ts'
import { EXIT } from '../program/run.ts'
import { type Filled, fillStage } from '../restore/fill-stage.ts'
import { mongoTarget } from '../restore/mongo-target.ts'
import { showRestored } from '../restore/show-restored.ts'
import { sqliteTarget } from '../restore/sqlite-target.ts'
import { openStage } from '../restore/stage.ts'
import type { Target } from '../restore/target.ts'
import { loadSettings } from '../settings.ts'

interface Options {
  readonly file: string
  /** True: the journal in DATA_DIR. */
  readonly journal?: true | readonly string[]
  readonly replace?: boolean
  readonly force?: boolean
}

/**
 * Puts a backup in the database's place, brought up to date: the work is done on a copy, which takes its place at the end.
 * Cut off and called again, it goes on. 1 if something that spools or journals hold could not be brought in.
 */
export async function restore({ file, journal, replace = false, force = false }: Options, output: Output) {
  const config = loadSettings()
  const start = systemClock.monotonic()
  const journals = await journalDirs(journal, config, output)
  const target = targetOf(config)
  if (!force && target.isInUse()) throw new CodedError('STORE_IN_USE')
  const stage = await openStage(file, target)
  if (stage.isResumed) output.say('Going on with the restore of this backup that was cut off.')
  let filled: Filled
  try {
    await assertFree(target, stage.path, replace)
    filled = await fillStage(config, stage.path, { journals, force }, output)
  } catch (error) {
    const isRefused = error instanceof CodedError && REFUSALS.has(error.code)
    if (isRefused && !stage.isResumed) rmSync(stage.path)
    throw error
  }
  if (!force && target.isInUse()) {
    throw new CodedError('STORE_IN_USE', {
      publicMessage:
        'Tokenkeeper was started on this database meanwhile. Stop all its processes: the same command then goes on where it was.',
    })
  }
  const movedAside = await put(target, stage.path, output)
  showRestored(file, filled, movedAside, output)
  const durationMs = Math.round(systemClock.monotonic() - start)
  output.result({ file, to: target.kind, movedAside, ...filled, durationMs })
  return isComplete(filled) ? EXIT.ok : EXIT.failed
}

/** These come before anything was done to the stage. */
const REFUSALS: ReadonlySet<string> = new Set(['STORE_NOT_EMPTY', 'STORE_IN_USE', 'KEY_MISSING'])

function targetOf({ store, dataDir }: Config): Target {
  const url = store.url.reveal()
  const path = sqlitePath(url)
  return path === null ? mongoTarget(url, dataDir) : sqliteTarget(path, systemClock)
}

/** Null: no journal is to be read. */
async function journalDirs(journal: Options['journal'], { dataDir }: Config, output: Output) {
  const own = join(dataDir, 'journal')
  if (journal === undefined) {
    const { since } = await inspectJournal(own)
    if (since !== null) {
      output.say(
        output.paint(
          'yellow',
          `There is a journal here (since ${since}), and it is left out: sessions that were refreshed after the backup will be dead. --journal brings them in.`,
        ),
      )
    }
    return null
  }
  // None there: nothing was refreshed on this machine yet.
  if (journal === true) return existsSync(own) ? [own] : []
  const dirs = journal
  for (const dir of dirs) {
    if (existsSync(dir)) continue
    throw new CodedError('INPUT_MISSING', { publicMessage: `There is no directory ${dir} with a journal.` })
  }
  return dirs
}

async function assertFree(target: Target, stage: string, replace: boolean): Promise<void> {
  if ((replace && target.canReplace) || (await target.isFree(stage))) return
  throw new CodedError('STORE_NOT_EMPTY', {
    publicMessage: target.canReplace
      ? 'There are accounts in this database already. --replace moves it aside, and deletes nothing.'
      : 'There are accounts in this database already: name an empty one by DATABASE_URL.',
  })
}

async function put(target: Target, stage: string, output: Output): Promise<string | null> {
  using progress = output.progress('Copying')
  return target.put(stage, progress.update)
}

function isComplete({ stillSpooled, journal, missingKeys }: Filled): boolean {
  const { unreadable = 0, unopened = 0, unknown = 0, taken = 0 } = journal ?? {}
  return stillSpooled + unreadable + unopened + unknown + taken + missingKeys.length === 0
}
