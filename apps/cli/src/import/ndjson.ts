import { readLines } from './lines.ts'
import type { Rows } from './row.ts'

/** One JSON object a line; empty lines are skipped. */
export async function* ndjsonRows(text: AsyncIterable<string>): Rows {
  let line = 0
  for await (const content of readLines(text)) {
    line++
    if (content.trim() === '') continue
    const fields = parseObject(content)
    yield fields ? { line, fields } : { line, fields, text: content }
  }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}
