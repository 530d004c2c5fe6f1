import { Readable } from 'node:stream'
import { CodedError } from '@tokenkeeper/core'
import { parse } from 'csv-parse'
import { withoutMark } from './lines.ts'
import type { Rows, SourceRow } from './row.ts'

const MAX_RECORD_BYTES = 1_000_000

interface Parsed {
  readonly record: readonly string[]
  readonly raw: string
  readonly info: { readonly lines: number }
}

/** CSV whose first line names the columns. `delimiter`: one character. */
export async function* csvRows(text: AsyncIterable<string>, delimiter = ','): Rows {
  const unreadable: SourceRow[] = []
  const parser = parse({
    delimiter,
    info: true,
    raw: true,
    relax_column_count: true,
    // A mark that is not doubled stays in its value, where it does no harm to the lines behind it.
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: MAX_RECORD_BYTES,
    on_skip: (error, raw) => {
      const text = raw?.trim() ?? ''
      unreadable.push({ line: firstLine(Number(error?.lines ?? 1), text), fields: null, text })
    },
  })
  const source = Readable.from(withPlainBreaks(withoutMark(text)))
  // A source that fails must end the parser, or the loop would wait for ever.
  source.once('error', (error) => parser.destroy(error))
  let names: readonly string[] | null = null
  for await (const { record, raw, info } of source.pipe(parser) as AsyncIterable<Parsed>) {
    const line = firstLine(info.lines, raw.trim())
    // The parser is ahead of its reader.
    while (unreadable[0] && unreadable[0].line < line) yield unreadable.shift()!
    if (names === null) {
      names = columnNames(record)
    } else if (record.length === names.length) {
      yield { line, fields: Object.fromEntries(names.map((name, i) => [name, record[i]])) }
    } else {
      yield { line, fields: null, text: raw.trim() }
    }
  }
  yield* unreadable
}

/** CR LF as LF: the parser counts one within quotes as two lines. */
async function* withPlainBreaks(text: AsyncIterable<string>): AsyncGenerator<string> {
  let carry = ''
  for await (const chunk of text) {
    const whole = carry + chunk
    carry = whole.endsWith('\r') ? '\r' : ''
    yield whole.slice(0, whole.length - carry.length).replaceAll('\r\n', '\n')
  }
  yield carry
}

/** Where a record begins that ends in this line. */
function firstLine(lastLine: number, text: string): number {
  return lastLine - (text.match(/\n/g)?.length ?? 0)
}

/** The names are not repeated in a message: in a file without a heading they are secrets. */
function columnNames(record: readonly string[]): readonly string[] {
  const names = record.map((name) => name.trim())
  if (new Set(names).size === names.length && !names.includes('')) return names
  throw new CodedError('IMPORT_SOURCE_UNREADABLE', {
    publicMessage: 'The first line of the CSV must name every column, and each name only once.',
  })
}
