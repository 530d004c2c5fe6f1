/** When a `retry-after` header (seconds, or a date) says to come back, ms since the epoch; null if it does not say. */
export function readRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null
  const ms = readSeconds(value)
  if (ms !== null) return now + ms
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : date
}

/** Seconds as ms. A server whose clock was moved sends negative ones. */
export function readSeconds(value: string | undefined): number | null {
  return value !== undefined && /^\s*-?\d{1,12}(\.\d+)?\s*$/.test(value) ? Number(value) * 1000 : null
}
