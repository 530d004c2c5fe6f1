import { escapeOf } from './escapes.ts'

/** `name`: in quotes; `word`: a name, a keyword or a number without them; `mark`: one character. */
export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'mark'
  readonly text: string
}

export interface LexerOptions {
  /** Whether `\'` is a quotation mark within a text, as MySQL writes it. */
  readonly backslashes: boolean
  readonly onToken: (token: Token) => void
  /** A line of the data behind `COPY … FROM stdin;`. */
  readonly onCopyLine: (line: string) => void
}

export interface Lexer {
  feed(chunk: string): void
  end(): void
  /** Texts and names are passed over without being kept, until this is taken back. */
  skip(isSkipping: boolean): void
  /** Lines of data begin with the next line, until one that ends them. */
  copy(): void
}

const CLOSING: Readonly<Record<string, string>> = { "'": "'", '"': '"', '`': '`', '[': ']' }
const WORD = /[\w.@$\u0080-\uffff]+(?:(?<=\d[eE])[+-]\d+)?/y
const SPACE = /\s+/y
const DOLLAR_TAG = /\$\w*\$/y
const LONGEST_TAG = 64
const COPY_END = '\\.'

type State = 'between' | 'quoted' | 'line_comment' | 'block_comment' | 'dollar_quoted' | 'copy_head' | 'copy'

/**
 * Cuts SQL into tokens as it arrives, so that neither a statement nor a dump need fit into memory. Knows what dumps of
 * MySQL, SQLite and PostgreSQL are made of, and what could hide a quotation mark: comments and dollar quotes.
 */
export function createLexer({ backslashes, onToken, onCopyLine }: LexerOptions): Lexer {
  let state: State = 'between'
  /** What cannot be judged before more has come. */
  let carry = ''
  let isSkipping = false
  let closing = ''
  let hasEscapes = false
  let value = ''
  let lastWord = ''

  const emit = (kind: Token['kind'], text: string) => {
    lastWord = kind === 'word' ? text : ''
    onToken({ kind, text })
  }

  /** Each takes the text from `i` and returns where it came to; the length of the text if it wants more. */
  const steps: Record<State, (text: string, i: number) => number> = {
    between(text, i) {
      const space = matchAt(SPACE, text, i)
      if (space) return i + space.length
      const char = text[i]!
      const isLast = i === text.length - 1
      if (char in CLOSING) return beginQuoted(char, i)
      if ((char === '-' || char === '/') && isLast) return hold(text, i)
      if ((char === '-' && text[i + 1] === '-') || (char === '#' && backslashes)) return go('line_comment', i)
      if (char === '/' && text[i + 1] === '*') return go('block_comment', i + 2)
      if (char === '$') {
        const tag = matchAt(DOLLAR_TAG, text, i)
        if (tag) return beginDollarQuoted(tag, i)
        if (text.length - i < LONGEST_TAG && /^\$\w*$/.test(text.slice(i))) return hold(text, i)
      }
      const word = matchAt(WORD, text, i)
      if (word === null) {
        emit('mark', char)
        return i + 1
      }
      if (i + word.length === text.length) return hold(text, i)
      emit('word', word)
      return i + word.length
    },
    quoted(text, i) {
      const j = nextOf(closing, hasEscapes ? '\\' : '', text, i)
      keep(text.slice(i, j))
      if (j === text.length) return j
      // Doubled, it stands for itself; whether it is, or what is escaped, the next character tells.
      if (j === text.length - 1) return hold(text, j)
      if (text[j] === '\\') {
        keep(escapeOf(text[j + 1]!))
        return j + 2
      }
      if (text[j + 1] === closing && closing !== ']') {
        keep(closing)
        return j + 2
      }
      endQuoted()
      return j + 1
    },
    line_comment: (text, i) => pass(text, i, '\n'),
    block_comment: (text, i) => pass(text, i, '*/'),
    dollar_quoted: (text, i) => pass(text, i, closing),
    copy_head(text, i) {
      const end = text.indexOf('\n', i)
      return end < 0 ? text.length : go('copy', end + 1)
    },
    copy(text, i) {
      const end = text.indexOf('\n', i)
      if (end < 0) return hold(text, i)
      const line = text.slice(i, end).replace(/\r$/, '')
      if (line === COPY_END) return go('between', end + 1)
      onCopyLine(line)
      return end + 1
    },
  }

  function go(next: State, i: number): number {
    state = next
    return i
  }

  function hold(text: string, i: number): number {
    carry = text.slice(i)
    return text.length
  }

  function keep(text: string): void {
    if (!isSkipping) value += text
  }

  function beginQuoted(char: string, i: number): number {
    closing = CLOSING[char]!
    hasEscapes = char === "'" && (backslashes || lastWord.toUpperCase() === 'E')
    value = ''
    return go('quoted', i + 1)
  }

  function endQuoted(): void {
    state = 'between'
    emit(closing === "'" ? 'text' : 'name', value)
  }

  function beginDollarQuoted(tag: string, i: number): number {
    closing = tag
    return go('dollar_quoted', i + tag.length)
  }

  /** Passes over everything up to this end. */
  function pass(text: string, i: number, end: string): number {
    const j = text.indexOf(end, i)
    if (j >= 0) return go('between', j + end.length)
    return hold(text, Math.max(i, text.length - end.length + 1))
  }

  return {
    feed(chunk) {
      const text = carry + chunk
      carry = ''
      for (let i = 0; i < text.length; ) i = steps[state](text, i)
    },
    end() {
      if (state === 'copy' && carry !== '') onCopyLine(carry)
      if (state === 'quoted' && carry === closing) endQuoted()
      if (state === 'between' && carry !== '') emit(matchAt(WORD, carry, 0) ? 'word' : 'mark', carry)
    },
    skip(value) {
      isSkipping = value
    },
    copy() {
      state = 'copy_head'
    },
  }
}

function matchAt(pattern: RegExp, text: string, i: number): string | null {
  pattern.lastIndex = i
  return pattern.exec(text)?.[0] ?? null
}

const STOPS = new Map<string, RegExp>()

/** Where one of these characters stands next; the length of the text if none does. */
function nextOf(closing: string, escaping: string, text: string, i: number): number {
  const key = closing + escaping
  let stop = STOPS.get(key)
  if (!stop) {
    stop = new RegExp(`[${key.replace(/[\]\\]/g, '\\$&')}]`, 'g')
    STOPS.set(key, stop)
  }
  stop.lastIndex = i
  return stop.exec(text)?.index ?? text.length
}
