import { hash } from 'node:crypto'
import { randomBytes } from './random-bytes.ts'

/** Makes ids: 24 hex digits, as an ObjectId has. Handed in, so that a simulation can make them predictable. */
export type MakeId = () => string

/** A random id whose first 8 digits are the time, so that ids sort by age. */
export const makeId: MakeId = () =>
  Math.floor(Date.now() / 1000)
    .toString(16)
    .padStart(8, '0') + randomBytes(8).toString('hex')

export function isId(value: string): boolean {
  return /^[0-9a-f]{24}$/.test(value)
}

/** The id of something that must exist once for its parts: the same parts always give the same id. */
export function idFrom(...parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts)).slice(0, 24)
}

/** Names a token in logs without revealing it: 16 hex digits of its SHA-256. */
export function tokenDigest(token: string): string {
  return hash('sha256', token).slice(0, 16)
}
