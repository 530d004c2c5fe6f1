import { resolve } from 'node:path'
import { CodedError, ERRORS, type ErrorCode, SECOND, systemClock, toCodedError } from '@tokenkeeper/core'
import type { AccountImport, Engine } from '@tokenkeeper/engine'
import { openSource, type SourceOptions } from '../import/open-source.ts'
import { type ReadOptions, readAccount } from '../import/read-account.ts'
import { type MappingOptions, readMapping } from '../import/read-mapping.ts'
import { openRejects, type Reject } from '../import/rejects.ts'
import type { Rows, SourceRow } from '../import/row.ts'
import { openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'

type Options = SourceOptions & MappingOptions & { readonly owner: string; readonly rejects?: string }

/** Rows that share the batches of the store, and the memory. */
const CHUNK = 500
/** Rejected lines that are told one by one; all of them are in the file. */
const MOST_TOLD = 20

interface Tally {
  imported: number
  present: number
  rejected: number
  readonly reasons: Partial<Record<ErrorCode, number>>
  readonly told: Reject[]
}

/** Stores logins that another app has kept until now. No provider is called. 0 only if no line was rejected. */
export async function importAccounts(options: Options, output: Output): Promise<number> {
  const rejectsPath = options.rejects ?? defaultRejects(options.file)
  if (options.file !== undefined && resolve(rejectsPath) === resolve(options.file)) {
    throw new CodedError('INVALID_REQUEST', { publicMessage: '--rejects must be another file than the one imported.' })
  }
  const config = loadSettings()
  const mapping = await readMapping(options)
  const rows = await openSource(options)
  await using context = await openContext(config, output)
  await using rejects = openRejects(rejectsPath)
  const reading = { mapping, owner: options.owner, providers: context.providerOptions }
  const start = systemClock.monotonic()
  const tally: Tally = { imported: 0, present: 0, rejected: 0, reasons: {}, told: [] }
  try {
    using progress = output.progress('accounts')
    for await (const chunk of chunksOf(rows)) {
      await rejects.add(await importChunk(context.engine, chunk, reading, tally))
      progress.update(tally.imported + tally.present + tally.rejected)
    }
  } catch (error) {
    output.say(`${countsOf(tally)} Then it stopped: what is in stays in, and the import can be done again.`)
    throw error
  }
  report(tally, systemClock.monotonic() - start, rejectsPath, output)
  return tally.rejected === 0 ? 0 : 1
}

/** Beside the file; in the working directory where there is none. */
function defaultRejects(file: string | undefined): string {
  return `${file === undefined || file === '-' ? 'import' : file}.rejects.ndjson`
}

async function* chunksOf(rows: Rows): AsyncGenerator<SourceRow[]> {
  let chunk: SourceRow[] = []
  for await (const row of rows) {
    chunk.push(row)
    if (chunk.length < CHUNK) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

/** Counts what became of the rows; resolves with those that were rejected. */
async function importChunk(
  engine: Engine,
  rows: readonly SourceRow[],
  reading: ReadOptions,
  tally: Tally,
): Promise<Reject[]> {
  const rejects: Reject[] = []
  const reject = (row: SourceRow, code: ErrorCode, message: string = ERRORS[code]) => {
    rejects.push({ row, code, message })
    tally.reasons[code] = (tally.reasons[code] ?? 0) + 1
  }
  const read: { readonly row: SourceRow; readonly account: AccountImport }[] = []
  for (const row of rows) {
    try {
      read.push({ row, account: readAccount(row, reading) })
    } catch (error) {
      const { code, message } = toCodedError(error)
      reject(row, code, message)
    }
  }
  const outcomes = await engine.importAccounts(
    read.map(({ account }) => account),
    'cli',
  )
  outcomes.forEach((outcome, i) => {
    if (outcome.kind === 'rejected') reject(read[i]!.row, outcome.code)
    else tally[outcome.kind]++
  })
  tally.rejected += rejects.length
  tally.told.push(...rejects.slice(0, MOST_TOLD - tally.told.length))
  return rejects
}

function countsOf({ imported, present, rejected }: Tally): string {
  return `Imported ${imported}; there already ${present}; rejected ${rejected}.`
}

function report(tally: Tally, durationMs: number, path: string, output: Output): void {
  const { imported, present, rejected, reasons, told } = tally
  const lines = told.map(({ row: { line }, code, message }) => ({ line, code, message }))
  for (const { line, code, message } of lines) output.say(`line ${line}: ${code}: ${message}`)
  if (rejected > told.length) output.say(`… and ${rejected - told.length} more`)
  const perSecond = Math.round(((imported + present + rejected) * SECOND) / Math.max(1, durationMs))
  output.say(`${countsOf(tally)} ${perSecond} lines a second.`)
  if (rejected > 0) output.say(`The rejected lines, with their secrets, are in ${path}.`)
  if (imported > 0)
    output.say('Each falls due within 48 hours, sooner if it dies soon: that refresh tells whether it works.')
  const rejectsFile = rejected > 0 ? path : null
  output.result({
    imported,
    present,
    rejected,
    reasons,
    rejects: lines,
    rejectsFile,
    durationMs: Math.round(durationMs),
    perSecond,
  })
}
