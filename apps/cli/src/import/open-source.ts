import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { CodedError } from '@tokenkeeper/core'
import type { FileFormat } from '../accounts/formats.ts'
import { csvRows } from './csv.ts'
import { ndjsonRows } from './ndjson.ts'
import type { Rows } from './row.ts'
import { dumpRows } from './sql-dump/dump-rows.ts'

export interface SourceOptions {
  /** A path, or `-` for stdin. */
  readonly file?: string
  readonly format?: FileFormat
  readonly delimiter?: string
  /** The file is a dump, or a SQLite file; its rows are in this table. */
  readonly sqlTable?: string
  /** mongodb://HOST/DATABASE instead of a file; `-`: its address comes on stdin. */
  readonly from?: string
  readonly collection?: string
}

const SQLITE_HEADER = 'SQLite format 3\0'
const PG_CUSTOM_HEADER = 'PGDMP'

/** The rows of what the options name. Throws INVALID_REQUEST, IMPORT_SOURCE_UNREADABLE; so do the rows when read. */
export async function openSource({ file, from, ...options }: SourceOptions): Promise<Rows> {
  if ((file === undefined) === (from === undefined)) {
    throw new CodedError('INVALID_REQUEST', { publicMessage: 'Name a FILE (- for stdin), or --from mongodb://….' })
  }
  if (from !== undefined) return openMongo(from, options.collection)
  const header = await headerOf(file!)
  if (options.sqlTable === undefined) return rowsOfText(file!, header, options)
  if (header.startsWith(SQLITE_HEADER)) {
    const { sqliteRows } = await import('./sqlite-file.ts')
    return sqliteRows(file!, options.sqlTable)
  }
  if (header.startsWith(PG_CUSTOM_HEADER)) {
    throw new CodedError('IMPORT_SOURCE_UNREADABLE', {
      publicMessage: 'This is no plain dump: make it without --format, or convert it by pg_restore --file.',
    })
  }
  return dumpRows(textOf(file!), options.sqlTable)
}

function rowsOfText(file: string, header: string, { format, delimiter }: SourceOptions): Rows {
  if (header.startsWith(SQLITE_HEADER)) {
    throw new CodedError('INVALID_REQUEST', { publicMessage: 'This is a SQLite file: --sql-table names its table.' })
  }
  const isCsv = format === undefined ? /\.[ct]sv$/i.test(file) : format === 'csv'
  if (!isCsv) return ndjsonRows(textOf(file))
  return csvRows(textOf(file), delimiter ?? (/\.tsv$/i.test(file) ? '\t' : ','))
}

async function openMongo(from: string, collection: string | undefined): Promise<Rows> {
  if (collection === undefined) {
    throw new CodedError('INVALID_REQUEST', { publicMessage: '--collection must name the collection.' })
  }
  const { text } = await import('node:stream/consumers')
  const url = from === '-' ? (await text(process.stdin)).trim() : from
  const { mongoRows } = await import('./mongo.ts')
  return mongoRows(url, collection)
}

/** The first bytes of a file; nothing of stdin, which can be read only once. */
async function headerOf(file: string): Promise<string> {
  if (file === '-') return ''
  try {
    if ((await stat(file)).isDirectory()) throw new Error('a directory')
    await using handle = await open(file)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SQLITE_HEADER.length), 0, SQLITE_HEADER.length, 0)
    return buffer.subarray(0, bytesRead).toString('latin1')
  } catch (cause) {
    throw new CodedError('IMPORT_SOURCE_UNREADABLE', { publicMessage: 'The file cannot be read.', cause })
  }
}

function textOf(file: string): AsyncIterable<string> {
  return file === '-' ? process.stdin.setEncoding('utf8') : createReadStream(file, 'utf8')
}
