import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { CodedError, randomBytes } from '@tokenkeeper/core'
import type { KeyRing } from './key-ring.ts'

/** What a sealed value is for; together with the id of its account or Page it is what the value is bound to. */
export type SealPurpose = 'credential' | 'app_password' | 'page_token'

export interface SealedValue {
  /** `v1.<key id>.<base64url of nonce, ciphertext and tag>` */
  readonly sealed: string
  readonly keyId: string
}

/**
 * Seals secrets with AES-256-GCM; the associated data binds a value to one id, of an account or a Page, and a
 * purpose, so that a value moved elsewhere does not open.
 */
export interface Sealer {
  seal(plaintext: string, boundTo: string, purpose: SealPurpose): SealedValue
  /** Throws CodedError KEY_MISSING or SEALED_VALUE_CORRUPT. */
  open(sealed: string, boundTo: string, purpose: SealPurpose): string
  /** The id of the key that seals. */
  readonly currentKeyId: string
  /** Ids of all keys that can open. */
  readonly keyIds: readonly string[]
  /** Keys for another use than sealing (HKDF-SHA256), one from each key of the ring; the current one's comes first. */
  deriveKeys(use: string): Buffer[]
}

const VERSION = 'v1'
const ALGORITHM = 'aes-256-gcm'
/** 96 random bits: safe for 2^32 values under one key (NIST SP 800-38D, 8.3). */
const NONCE_BYTES = 12
const TAG_BYTES = 16
const DERIVED_KEY_BYTES = 32

/** JSON, so that no two different bindings give the same bytes. */
function associatedData(keyId: string, boundTo: string, purpose: SealPurpose): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, boundTo, purpose]))
}

export function createSealer({ currentKeyId, keys }: KeyRing): Sealer {
  const currentKey = keys.get(currentKeyId)
  if (!currentKey) throw new CodedError('KEY_RING_INVALID')

  function seal(plaintext: string, boundTo: string, purpose: SealPurpose): SealedValue {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, currentKey!, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(associatedData(currentKeyId, boundTo, purpose))
    const body = Buffer.concat([nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return { sealed: `${VERSION}.${currentKeyId}.${body.toString('base64url')}`, keyId: currentKeyId }
  }

  function open(sealed: string, boundTo: string, purpose: SealPurpose): string {
    const { keyId, body } = parseSealed(sealed)
    const key = keys.get(keyId)
    if (!key) throw new CodedError('KEY_MISSING', { internal: `key id ${keyId}` })
    const decipher = createDecipheriv(ALGORITHM, key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(associatedData(keyId, boundTo, purpose))
    decipher.setAuthTag(body.subarray(-TAG_BYTES))
    try {
      return Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString()
    } catch {
      throw corrupt('does not authenticate')
    }
  }

  function deriveKeys(use: string): Buffer[] {
    return [currentKey!, ...[...keys.values()].filter((key) => key !== currentKey)].map((key) =>
      Buffer.from(hkdfSync('sha256', key, '', `tokenkeeper ${use}`, DERIVED_KEY_BYTES)),
    )
  }

  return { seal, open, currentKeyId, keyIds: [...keys.keys()], deriveKeys }
}

function parseSealed(sealed: string): { keyId: string; body: Buffer } {
  const [, keyId, text] = /^v1\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/.exec(sealed) ?? []
  if (!keyId || !text) throw corrupt('is not of the form v1.id.value')
  const body = Buffer.from(text, 'base64url')
  // Stray bits after the last byte would be ignored by the decoder; a value has one text only.
  if (body.toString('base64url') !== text) throw corrupt('is not canonical base64url')
  if (body.length < NONCE_BYTES + TAG_BYTES) throw corrupt('is too short')
  return { keyId, body }
}

function corrupt(what: string): CodedError {
  return new CodedError('SEALED_VALUE_CORRUPT', { internal: `the sealed value ${what}` })
}
