import { createSecretKey, type KeyObject } from 'node:crypto'
import { CodedError } from '@tokenkeeper/core'

/** The keys that can open, by their ids; the current one also seals. */
export interface KeyRing {
  readonly currentKeyId: string
  /** Key objects, so that printing a ring shows no key. */
  readonly keys: ReadonlyMap<string, KeyObject>
}

const KEY_BYTES = 32

/**
 * Reads `kid:base64,kid:base64`, each key 32 bytes, each id made of letters, digits, `_` and `-`; the first seals.
 * Throws KEY_RING_INVALID, which names the entry by its position and never shows it.
 */
export function parseKeyRing(text: string): KeyRing {
  const keys = new Map<string, KeyObject>()
  for (const [index, entry] of text.split(',').entries()) {
    const invalid = (what: string) =>
      new CodedError('KEY_RING_INVALID', {
        publicMessage: `The encryption keys cannot be used: entry ${index + 1} ${what}.`,
      })
    const [keyId, base64, ...more] = entry.trim().split(':')
    if (!keyId || !base64 || more.length > 0) throw invalid('is not of the form id:key')
    if (!/^[A-Za-z0-9_-]+$/.test(keyId)) throw invalid('has an id with other characters than A-Z a-z 0-9 _ -')
    if (keys.has(keyId)) throw invalid('has the same id as an earlier one')
    const bytes = Buffer.from(base64, 'base64')
    const isBase64 = bytes.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '')
    if (!isBase64 || bytes.length !== KEY_BYTES) throw invalid('is not a key of 32 bytes in base64')
    keys.set(keyId, createSecretKey(bytes))
  }
  return { currentKeyId: [...keys.keys()][0]!, keys }
}
