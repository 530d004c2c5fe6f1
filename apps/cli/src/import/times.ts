/** Later numbers are milliseconds: as seconds they would lie beyond the year 5000. */
const FIRST_MS = 100_000_000_000
const LAST_MS = 8_640_000_000_000_000

const ISO = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i

/**
 * A time in ms since the epoch: from a Date, a unix time in seconds or milliseconds, or ISO 8601 (also with a space, as
 * SQL writes it; UTC where no zone is told). Null: there is none, which 0 means too. Undefined: it is no time.
 */
export function readTime(value: unknown): number | null | undefined {
  if (value === null || value === undefined || value === '') return null
  if (value instanceof Date) return timeOrNothing(value.getTime())
  if (typeof value === 'number' || typeof value === 'bigint') return fromUnix(Number(value))
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  return /^\d+(\.\d+)?$/.test(text) ? fromUnix(Number(text)) : fromIso(text)
}

function fromUnix(time: number): number | null | undefined {
  if (time === 0) return null
  if (!(time > 0 && time <= LAST_MS)) return undefined
  return Math.floor(time < FIRST_MS ? time * 1000 : time)
}

function fromIso(text: string): number | undefined {
  const match = ISO.exec(text)
  if (!match) return undefined
  const zone = match[1] ?? 'Z'
  const local = text.slice(0, text.length - (match[1]?.length ?? 0)).trim()
  const isDate = local.length === 10
  return timeOrNothing(Date.parse(`${isDate ? `${local}T00:00` : local.replace(' ', 'T')}${fullZone(zone)}`))
}

/** PostgreSQL writes `+00`. */
function fullZone(zone: string): string {
  return zone.length === 3 ? `${zone}:00` : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone
}

function timeOrNothing(time: number): number | undefined {
  return Number.isNaN(time) ? undefined : time
}
