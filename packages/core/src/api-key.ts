import { createHash, randomBytes } from 'node:crypto'

/** What a key may do; each role may do what those before it may. */
export const API_ROLES = ['viewer', 'operator', 'admin'] as const
export type ApiRole = (typeof API_ROLES)[number]

/** A key to the API as it is stored. The key itself is shown once, when it is made, and kept nowhere. */
export interface ApiKey {
  /** 24 hex digits; a part of the key. */
  readonly id: string
  readonly name: string
  readonly role: ApiRole
  /** See {@link hashApiKey}. */
  readonly hash: string
  readonly createdAt: number
  readonly createdBy: string
  readonly revokedAt: number | null
}

const SECRET_BYTES = 32

/** A new key, `tk_<id>_<256 random bits in base64url>`: its id finds the hash that it is compared with. */
export function makeApiKey(id: string): string {
  return `tk_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`
}

/** The id within a key; null if it has not the form of one. */
export function apiKeyId(key: string): string | null {
  return /^tk_([0-9a-f]{24})_[\w-]{43}$/.exec(key)?.[1] ?? null
}

/** SHA-256 in hex. A key is as random as a hash is long, so that a slow hash would protect nothing. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

export function roleAllows(role: ApiRole, needed: ApiRole): boolean {
  return API_ROLES.indexOf(role) >= API_ROLES.indexOf(needed)
}
