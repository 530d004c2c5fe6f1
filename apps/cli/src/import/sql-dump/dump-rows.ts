import { CodedError } from '@tokenkeeper/core'
import { withoutMark } from '../lines.ts'
import type { Rows, SourceRow } from '../row.ts'
import { copyValues } from './escapes.ts'
import { createLexer } from './lexer.ts'
import { createStatementReader } from './statements.ts'
import type { SqlValue } from './values.ts'

/** In so many characters a dump tells what made it. */
const HEAD_LENGTH = 4_096

/**
 * The rows of one table in a dump: of mysqldump or mariadb-dump, of SQLite's `.dump`, of pg_dump in its plain format
 * (COPY or INSERT). Throws IMPORT_SOURCE_UNREADABLE if the table is not there, or its columns are not told.
 */
export async function* dumpRows(text: AsyncIterable<string>, table: string): Rows {
  let reader: ReturnType<typeof createDumpReader> | undefined
  let head = ''
  for await (const chunk of withoutMark(text)) {
    head += chunk
    if (!reader && head.length < HEAD_LENGTH) continue
    reader ??= createDumpReader(table, head)
    yield* reader.feed(head)
    head = ''
  }
  reader ??= createDumpReader(table, head)
  yield* reader.feed(head)
  yield* reader.end()
  if (!reader.hasTable()) {
    throw new CodedError('IMPORT_SOURCE_UNREADABLE', {
      publicMessage: 'The dump holds neither rows nor columns of this table: check --sql-table.',
    })
  }
}

/** `head`: the beginning of the dump, which tells what made it. */
function createDumpReader(table: string, head: string) {
  let isKnown = false
  let tableColumns: readonly string[] | null = null
  /** Of the data of COPY that follow; null: they are another table's. */
  let copyColumns: readonly string[] | null = null
  let line = 0
  let rows: SourceRow[] = []

  function add(values: readonly SqlValue[], columns: readonly string[] | null): void {
    isKnown = true
    rows.push(toRow(++line, values, columns ?? columnsOrFail(tableColumns)))
  }

  const lexer = createLexer({
    backslashes: isOfMysql(head),
    onToken: (token) => statements.take(token),
    onCopyLine: (text) => copyColumns && add(copyValues(text), copyColumns),
  })
  const statements = createStatementReader({
    table: table.toLowerCase(),
    onColumns(columns) {
      isKnown = true
      tableColumns = columns
    },
    onRow: add,
    onCopy(columns) {
      copyColumns = columns
      if (columns) isKnown = true
      lexer.copy()
    },
    onSkip: (isSkipping) => lexer.skip(isSkipping),
  })

  function taken(): SourceRow[] {
    const found = rows
    rows = []
    return found
  }

  return {
    feed(chunk: string): SourceRow[] {
      lexer.feed(chunk)
      return taken()
    },
    end(): SourceRow[] {
      lexer.end()
      if (statements.isCutOff) rows.push({ line: ++line, fields: null, text: 'The dump ends within this statement.' })
      return taken()
    },
    hasTable: () => isKnown,
  }
}

function toRow(line: number, values: readonly SqlValue[], columns: readonly string[]): SourceRow {
  if (values.length !== columns.length || values.includes(undefined)) {
    return { line, fields: null, text: JSON.stringify(values) }
  }
  return { line, fields: Object.fromEntries(columns.map((column, i) => [column, values[i]])) }
}

function columnsOrFail(columns: readonly string[] | null): readonly string[] {
  if (columns) return columns
  throw new CodedError('IMPORT_SOURCE_UNREADABLE', {
    publicMessage:
      'The dump does not name the columns: make it with its schema, or with --complete-insert (--column-inserts).',
  })
}

/** SQLite keeps the words of a CREATE TABLE, which may have backticks too. */
function isOfMysql(head: string): boolean {
  if (/^-- (MySQL|MariaDB) dump|^\/\*M?!\d/m.test(head)) return true
  return (
    !/^PRAGMA foreign_keys|^-- PostgreSQL database dump/m.test(head) &&
    /^(INSERT INTO|REPLACE INTO|CREATE TABLE) `/m.test(head)
  )
}
