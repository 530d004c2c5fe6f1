import type { Token } from './lexer.ts'
import { isMark, type SqlValue, sqlValueOf } from './values.ts'

export interface StatementReader {
  take(token: Token): void
  /** Whether the dump ended within a row of the table. */
  readonly isCutOff: boolean
}

export interface StatementOptions {
  /** Lower case; with or without its schema. */
  readonly table: string
  readonly onColumns: (columns: readonly string[]) => void
  readonly onRow: (values: readonly SqlValue[], columns: readonly string[] | null) => void
  /** Data of COPY follow: of this table with these columns, or of another one (null). */
  readonly onCopy: (columns: readonly string[] | null) => void
  /** What follows up to the end of the statement is of no interest. */
  readonly onSkip: (isSkipping: boolean) => void
}

type Mode = 'head' | 'skip' | 'definition' | 'values'

/** Words that begin an entry of CREATE TABLE which is no column. */
const NO_COLUMN = /^(primary|unique|key|index|constraint|foreign|check|fulltext|spatial|exclude|like|period)$/i

/** Finds the rows of a table among the statements of a dump: CREATE TABLE, INSERT (and REPLACE) and COPY. */
export function createStatementReader(options: StatementOptions): StatementReader {
  let mode: Mode = 'head'
  let head: Token[] = []
  let isTrigger = false
  let last: Token | undefined
  let depth = 0
  let columns: readonly string[] | null = null
  let entries: Token[][] = []

  function begin(next: Mode): void {
    mode = next
    options.onSkip(next === 'skip')
  }

  function endStatement(): void {
    head = []
    columns = null
    depth = 0
    begin('head')
  }

  function takeHead(token: Token): void {
    head.push(token)
    const verb = wordAt(head, 0)
    if (isMark(token, ';')) {
      if (verb === 'COPY' && has(head, 'STDIN')) options.onCopy(isOurs(nameIn(head.slice(1))) ? namesIn(head) : null)
      endStatement()
    } else if (verb === 'INSERT' || verb === 'REPLACE') takeInsert(token)
    else if (verb === 'CREATE') takeCreate(token)
    else if (verb !== 'COPY') begin('skip')
  }

  function takeInsert(token: Token): void {
    const isValues = token.kind === 'word' && token.text.toUpperCase() === 'VALUES'
    if (!isValues && !isMark(token, '(')) return
    const into = head.findIndex(({ text }) => text.toUpperCase() === 'INTO')
    if (!isOurs(nameIn(head.slice(into + 1)))) begin('skip')
    else if (isValues) {
      columns = head.some((each) => isMark(each, '(')) ? namesIn(head) : null
      begin('values')
    }
  }

  function takeCreate(token: Token): void {
    if (has(head, 'TRIGGER')) {
      isTrigger = true
      begin('skip')
    } else if (isMark(token, '(')) {
      const table = head.findIndex(({ text }) => text.toUpperCase() === 'TABLE')
      const name = nameIn(head.slice(table + 1).filter((each) => !isIfNotExists(each)))
      const isWanted = table >= 0 && isOurs(name) && !has(head, 'VIRTUAL')
      depth = 1
      entries = [[]]
      begin(isWanted ? 'definition' : 'skip')
    }
  }

  function takeSkipped(token: Token): void {
    // The body of a trigger holds statements of its own.
    const isEnd = isMark(token, ';') && (!isTrigger || last?.text.toUpperCase() === 'END')
    if (!isEnd) return
    isTrigger = false
    endStatement()
  }

  function takeDefinition(token: Token): void {
    takeEntries(token, () => {
      const named = entries.flatMap(([first]) => (first && isColumn(first) ? [first.text] : []))
      options.onColumns(named)
      begin('skip')
    })
  }

  function takeValues(token: Token): void {
    if (depth > 0) takeEntries(token, () => options.onRow(entries.map(sqlValueOf), columns))
    else if (isMark(token, ';')) endStatement()
    else if (isMark(token, '(')) {
      depth = 1
      entries = [[]]
    }
  }

  /** What stands between brackets, divided by commas. */
  function takeEntries(token: Token, onEnd: () => void): void {
    if (isMark(token, '(')) depth++
    if (isMark(token, ')')) depth--
    if (depth === 0) onEnd()
    else if (isMark(token, ',') && depth === 1) entries.push([])
    else entries.at(-1)!.push(token)
  }

  /** `name`, or what follows its schema. */
  function isOurs(name: string): boolean {
    return name === options.table || name.slice(name.lastIndexOf('.') + 1) === options.table
  }

  const takers = { head: takeHead, skip: takeSkipped, definition: takeDefinition, values: takeValues }
  return {
    take(token) {
      takers[mode](token)
      last = token
    },
    get isCutOff() {
      return mode === 'values'
    },
  }
}

function wordAt(head: readonly Token[], i: number): string | undefined {
  return head[i]?.kind === 'word' ? head[i].text.toUpperCase() : undefined
}

function has(head: readonly Token[], word: string): boolean {
  return head.some((_, i) => wordAt(head, i) === word)
}

/** The name that stands at the beginning, with its schema, in lower case. */
function nameIn(tokens: readonly Token[]): string {
  const end = tokens.findIndex((token, i) => i > 0 && !isMark(token, '.') && !isMark(tokens[i - 1], '.'))
  const parts = tokens.slice(0, end < 0 ? tokens.length : end)
  return parts.map(({ text }) => text.toLowerCase()).join('')
}

/** The names between the first pair of brackets. */
function namesIn(head: readonly Token[]): string[] {
  const open = head.findIndex((token) => isMark(token, '('))
  const close = head.findIndex((token) => isMark(token, ')'))
  return head.slice(open + 1, close).flatMap(({ kind, text }) => (kind === 'mark' ? [] : [text]))
}

function isIfNotExists({ kind, text }: Token): boolean {
  return kind === 'word' && /^(if|not|exists)$/i.test(text)
}

function isColumn({ kind, text }: Token): boolean {
  return kind === 'name' || (kind === 'word' && !NO_COLUMN.test(text))
}
