import { ERRORS, type ErrorCode } from '@tokenkeeper/core'

/** A time (ms) in a sentence: `2027-01-05 02:00:00 UTC`. */
export function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** A code, which may carry a detail after a space, with what it means. */
export function meaning(reason: string): string {
  const code = reason.split(' ')[0]!
  return code in ERRORS ? `${reason}: ${ERRORS[code as ErrorCode]}` : `${reason}.`
}
