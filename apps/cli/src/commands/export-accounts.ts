import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { type Account, CodedError } from '@tokenkeeper/core'
import { csvLine } from '../accounts/csv-line.ts'
import { accountForPrograms } from '../accounts/facts.ts'
import type { FileFormat } from '../accounts/formats.ts'
import { type AccountFilter, pagesOfAccounts } from '../accounts/pages-of-accounts.ts'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'
import { writeOut } from '../write-out.ts'

type Options = AccountFilter & {
  readonly format: FileFormat
  /** A file; else stdout. */
  readonly output?: string
  readonly sandbox?: boolean
}

const COLUMNS = [
  'id',
  'platform',
  'name',
  'externalId',
  'ownerId',
  'status',
  'statusReason',
  'serviceUrl',
  'failureClass',
  'failureCode',
  'failureCount',
  'failureSince',
  'lastRefreshedAt',
  'nextRefreshAt',
  'accessExpiresAt',
  'diesAt',
] as const

/** Everything but the secrets, for reports and spreadsheets. It cannot be imported again: it holds no tokens. */
export async function exportAccounts(options: Options, output: Output): Promise<number> {
  const { format, output: path, sandbox, ...filter } = options
  await using store = await openExistingStore(loadSettings(sandbox))
  const target = path === undefined ? process.stdout : await create(path)
  const toLine = format === 'csv' ? csvOf : ndjsonOf
  let count = 0
  using progress = output.progress('accounts')
  if (format === 'csv') await writeOut(target, csvLine(COLUMNS))
  for await (const page of store ? pagesOfAccounts(store, filter) : []) {
    await writeOut(target, page.map(toLine).join(''))
    count += page.length
    progress.update(count)
  }
  if (path === undefined) return 0
  target.end()
  await once(target, 'finish')
  output.say(`Exported ${count} accounts, without their secrets.`)
  return 0
}

/** Who the accounts are is nobody else's business either. */
async function create(path: string): Promise<Writable> {
  // What is there may be a backup.
  const stream = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  try {
    await once(stream, 'open')
    return stream
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === 'EEXIST'
    const publicMessage = isThere
      ? 'There is a file of the name of --output already: name another one, or move it away.'
      : 'The file of --output cannot be written.'
    throw new CodedError('INVALID_REQUEST', { publicMessage, cause })
  }
}

function ndjsonOf(account: Account): string {
  return `${JSON.stringify(accountForPrograms(account))}\n`
}

function csvOf(account: Account): string {
  const { failure, ...facts } = accountForPrograms(account)
  const row = {
    ...facts,
    failureClass: failure?.class ?? null,
    failureCode: failure?.code ?? null,
    failureCount: failure?.count ?? null,
    failureSince: failure?.since ?? null,
  }
  return csvLine(COLUMNS.map((column) => row[column]))
}
