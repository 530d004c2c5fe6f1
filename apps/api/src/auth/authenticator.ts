import { timingSafeEqual } from 'node:crypto'
import { type ApiKey, apiKeyId, hashApiKey } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import type { Principal } from './principal.ts'

export interface Authenticator {
  /** Whose key that is; null if it is none, or revoked. Rejects with STORE_UNAVAILABLE. */
  byKey(key: string): Promise<Principal | null>
  /** The principal of a key that was shown before; null if it was revoked since. Rejects with STORE_UNAVAILABLE. */
  byId(keyId: string): Promise<Principal | null>
}

const ADMIN_ID = 'admin'
const FINGERPRINT_LENGTH = 16

/** Keys are compared by their hashes, in constant time. */
export function createAuthenticator({ apiKeys }: Pick<Store, 'apiKeys'>, adminKey: string | undefined): Authenticator {
  const adminHash = adminKey === undefined ? undefined : hashApiKey(adminKey)
  const admin = adminHash === undefined ? null : adminOf(adminHash)

  return {
    async byKey(key) {
      const hash = hashApiKey(key)
      if (adminHash !== undefined && sameHash(hash, adminHash)) return admin
      const id = apiKeyId(key)
      const stored = id === null ? null : await apiKeys.get(id)
      return stored !== null && sameHash(hash, stored.hash) ? principalOf(stored) : null
    },
    async byId(keyId) {
      if (keyId === ADMIN_ID) return admin
      const stored = await apiKeys.get(keyId)
      return stored === null ? null : principalOf(stored)
    },
  }
}

function adminOf(hash: string): Principal {
  return { keyId: ADMIN_ID, name: 'ADMIN_API_KEY', role: 'admin', fingerprint: hash.slice(0, FINGERPRINT_LENGTH) }
}

function principalOf({ id, name, role, hash, revokedAt }: ApiKey): Principal | null {
  return revokedAt === null ? { keyId: id, name, role, fingerprint: hash.slice(0, FINGERPRINT_LENGTH) } : null
}

function sameHash(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
