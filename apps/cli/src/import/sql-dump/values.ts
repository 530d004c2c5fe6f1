import type { Token } from './lexer.ts'

/** Undefined: not a value that a dump is known to hold. */
export type SqlValue = string | null | undefined

/** The value that the tokens between two commas stand for. Numbers stay as they are written. */
export function sqlValueOf(tokens: readonly Token[]): SqlValue {
  const [first, second, ...others] = tokens
  if (first === undefined) return undefined
  if (second === undefined) return literal(first)
  if (first.kind === 'word' && isMark(second, '(')) return call(first.text.toLowerCase(), argumentsOf(others))
  if (others.length > 0) return undefined
  if (first.kind === 'word' && second.kind === 'text') return prefixed(first.text, second.text)
  if (isMark(first, '-') && second.kind === 'word') return `-${second.text}`
  return undefined
}

export function isMark(token: Token | undefined, mark: string): boolean {
  return token?.kind === 'mark' && token.text === mark
}

function literal({ kind, text }: Token): SqlValue {
  if (kind === 'text') return text
  if (kind !== 'word') return undefined
  if (/^null$/i.test(text)) return null
  if (/^(true|false)$/i.test(text)) return text.toLowerCase()
  if (/^0x[0-9a-f]*$/i.test(text)) return Buffer.from(text.slice(2), 'hex').toString()
  return /^\d/.test(text) ? text : undefined
}

/** `X'…'` in hex, `E'…'` and `N'…'`, MySQL's `_binary '…'` and other names of character sets. */
function prefixed(prefix: string, text: string): SqlValue {
  if (/^x$/i.test(prefix)) return Buffer.from(text, 'hex').toString()
  return /^([en]|_\w+)$/i.test(prefix) ? text : undefined
}

/** What SQLite's `.dump` writes line breaks with: `replace('…\n…','\n',char(10))`, `unistr('…\u000a…')`. */
function call(name: string, values: readonly SqlValue[]): SqlValue {
  const texts = values.filter((value) => typeof value === 'string')
  if (texts.length < values.length) return undefined
  const [text, from, to] = texts
  if (name === 'char') return String.fromCodePoint(...texts.map(Number))
  if (name === 'replace' && to !== undefined) return text!.replaceAll(from!, () => to)
  if (name === 'unistr' && text !== undefined) return unistr(text)
  return undefined
}

function unistr(text: string): string {
  const pattern = /\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|\+([0-9a-f]{6})|([0-9a-f]{4})|(\\))/gi
  return text.replace(pattern, (_, ...groups: (string | undefined)[]) => {
    const code = groups.slice(0, 4).find((group) => group !== undefined)
    return code === undefined ? '\\' : String.fromCodePoint(Number.parseInt(code, 16))
  })
}

/** The values between the brackets of a call, the last token being the closing one. */
function argumentsOf(tokens: readonly Token[]): SqlValue[] {
  const values: Token[][] = [[]]
  let depth = 0
  for (const token of tokens.slice(0, -1)) {
    if (isMark(token, '(')) depth++
    if (isMark(token, ')')) depth--
    if (isMark(token, ',') && depth === 0) values.push([])
    else values.at(-1)!.push(token)
  }
  return values.map(sqlValueOf)
}
