const LETTERS: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  Z: '\x1a',
}

/** What a character behind a backslash stands for in a text of MySQL, or of PostgreSQL's `E'…'`. */
export function escapeOf(char: string): string {
  return LETTERS[char] ?? char
}

/** A line of COPY as values; a tab between two, `\N` for none. */
export function copyValues(line: string): (string | null)[] {
  return line.split('\t').map((value) => (value === '\\N' ? null : unescapeCopy(value)))
}

function unescapeCopy(value: string): string {
  if (!value.includes('\\')) return value
  return value.replace(
    /\\(?:x([0-9a-f]{1,2})|([0-7]{1,3})|(.))/gis,
    (_, hex?: string, octal?: string, char?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
      return escapeOf(char!)
    },
  )
}
