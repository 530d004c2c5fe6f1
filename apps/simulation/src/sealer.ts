import { CodedError } from '@tokenkeeper/core'
import type { Sealer } from '@tokenkeeper/store'

const SEALED = /^v1\.([^.]+)\.\d+\.([^.]+)\.([^.]+)\.(.*)$/s

/**
 * Seals as the real one does, bound to account and purpose and never twice to the same text, but in the clear: what the
 * cipher adds is not part of the protocol, and takes its time.
 */
export function createModelSealer(keyIds: readonly string[], makeNonce: () => number): Sealer {
  const currentKeyId = keyIds[0]!
  return {
    currentKeyId,
    keyIds,
    seal: (plaintext, accountId, purpose) => ({
      sealed: `v1.${currentKeyId}.${makeNonce()}.${accountId}.${purpose}.${plaintext}`,
      keyId: currentKeyId,
    }),
    open(sealed, accountId, purpose) {
      const [, keyId = '', boundTo, sealedFor, plaintext = ''] = SEALED.exec(sealed) ?? []
      if (!keyIds.includes(keyId)) throw new CodedError('KEY_MISSING', { internal: `key id ${keyId}` })
      if (boundTo !== accountId || sealedFor !== purpose) throw new CodedError('SEALED_VALUE_CORRUPT')
      return plaintext
    },
    deriveKeys: () => [],
  }
}

/** What is in a sealed value, for those who watch. */
export function lookInto(sealed: string): string {
  return SEALED.exec(sealed)?.[4] ?? ''
}
