import { DAY, HOUR, MINUTE, SECOND } from '@tokenkeeper/core'

const UNITS = [
  [DAY, 'd'],
  [HOUR, 'h'],
  [MINUTE, 'min'],
  [SECOND, 's'],
] as const

/** `in 6 d`, `3 min ago`, `now`; a dash for none. Times in ms since the epoch. */
export function relativeTime(time: number | null, now: number): string {
  if (time === null) return '-'
  const distance = Math.abs(time - now)
  const [unit, name] = UNITS.find(([ms]) => distance >= ms) ?? []
  if (unit === undefined) return 'now'
  const amount = `${Math.floor(distance / unit)} ${name}`
  return time > now ? `in ${amount}` : `${amount} ago`
}

/** ISO 8601 for programs. */
export function isoTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
