type Row = readonly [name: string, figure: string]

/** The figures of a report, one a line, by the path of their keys in the JSON. */
export function renderReport(report: object): string {
  const rows = [...rowsOf(report)]
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, figure]) => `${name.padEnd(width)}  ${figure}`).join('\n')
}

function* rowsOf(value: unknown, path = ''): Generator<Row> {
  if (value === null) yield [path, 'left out']
  else if (typeof value !== 'object') yield [path, String(value)]
  else for (const [key, part] of Object.entries(value as object)) yield* rowsOf(part, path ? `${path}.${key}` : key)
}
