import { createHash, randomBytes, randomInt } from 'node:crypto'
import type { Family } from './model.ts'

const PREFIX: Record<Family, string> = { facebook: 'EAA', instagram: 'IGAA', threads: 'THAA' }
const LETTERS = /[^A-Za-z0-9]/g

/** Digits only, below 2^53, since some of Meta's answers hold ids as JSON numbers. */
export function numericId(): string {
  return `${randomInt(1, 9)}${String(randomInt(0, 10 ** 7)).padStart(7, '0')}${String(randomInt(0, 10 ** 7)).padStart(7, '0')}`
}

/** Looks like Meta's: a prefix that tells the host family, then about 180 letters and digits. */
export function tokenValue(family: Family): string {
  return PREFIX[family] + randomBytes(140).toString('base64').replace(LETTERS, '')
}

export function codeValue(): string {
  return `AQ${randomBytes(120).toString('base64url')}`
}

export function secretValue(): string {
  return randomBytes(16).toString('hex')
}

/** What `client_credentials` gives: an id and a value that follows from the secret, so a new secret ends it. */
export function appTokenValue(appId: string, secret: string): string {
  return `${appId}|${createHash('sha256').update(`app token ${appId} ${secret}`).digest('base64url').slice(0, 27)}`
}

/** Whether it has the shape of a token of this host family, so that it is decoded at all. */
export function looksLikeToken(value: string, family: Family): boolean {
  return value.startsWith(PREFIX[family]) && !LETTERS.test(value.replaceAll('_', ''))
}

export function traceId(): string {
  return `A${randomBytes(16).toString('base64url')}`
}
