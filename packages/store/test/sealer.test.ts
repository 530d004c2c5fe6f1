import { randomBytes } from 'node:crypto'
import { hasCode, makeId } from '@tokenkeeper/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSealer, parseKeyRing } from '../src/index.ts'

const [oldKey, newKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
const oldSealer = createSealer(parseKeyRing(`old:${oldKey}`))
const newSealer = createSealer(parseKeyRing(`new:${newKey}`))
const both = createSealer(parseKeyRing(`new:${newKey},old:${oldKey}`))

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

describe('sealer', () => {
  test('opens what it sealed, for the same account and purpose', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 300 })
    fc.assert(
      fc.property(text, text, fc.constantFrom('credential', 'app_password'), (plaintext, accountId, purpose) => {
        const { sealed, keyId } = both.seal(plaintext, accountId, purpose)
        expect(keyId).toBe('new')
        expect(sealed).toMatch(/^v1\.new\.[A-Za-z0-9_-]+$/)
        expect(both.open(sealed, accountId, purpose)).toBe(plaintext)
      }),
    )
  })

  test('never gives the same text twice, and shows nothing of the secret', () => {
    const texts = Array.from({ length: 50 }, () => both.seal('planted-secret', 'a', 'credential').sealed)
    expect(new Set(texts).size).toBe(50)
    for (const text of texts) expect(Buffer.from(text.split('.')[2]!, 'base64url')).not.toContain('planted')
  })

  test('opens with any key of the ring, and seals with the first', () => {
    const old = oldSealer.seal('secret', 'a', 'credential')
    expect(old.keyId).toBe('old')
    expect(both.open(old.sealed, 'a', 'credential')).toBe('secret')
    expect(both.seal('secret', 'a', 'credential').keyId).toBe('new')
  })

  test('a value whose key is missing is told apart', () => {
    const { sealed } = oldSealer.seal('secret', 'a', 'credential')
    expect(codeOf(() => newSealer.open(sealed, 'a', 'credential'))).toBe('KEY_MISSING')
  })

  test('another key under the same id opens nothing', () => {
    const { sealed } = oldSealer.seal('secret', 'a', 'credential')
    const impostor = createSealer(parseKeyRing(`old:${newKey}`))
    expect(codeOf(() => impostor.open(sealed, 'a', 'credential'))).toBe('SEALED_VALUE_CORRUPT')
  })

  test('a value moved to another account or purpose does not open', () => {
    const [mine, other] = [makeId(), makeId()]
    const { sealed } = both.seal('secret', mine, 'credential')
    expect(codeOf(() => both.open(sealed, other, 'credential'))).toBe('SEALED_VALUE_CORRUPT')
    expect(codeOf(() => both.open(sealed, mine, 'app_password'))).toBe('SEALED_VALUE_CORRUPT')
  })

  test('parts of the binding cannot be shifted into one another', () => {
    // Joined by any separator, some of these would be bound to the same bytes.
    const ids = ['a', 'a","credential', 'a\0credential', 'a.credential', '', '"', '\\', 'a|credential']
    for (const id of ids) {
      const { sealed } = both.seal('secret', id, 'credential')
      for (const other of ids) {
        if (other !== id) expect(codeOf(() => both.open(sealed, other, 'credential'))).toBe('SEALED_VALUE_CORRUPT')
      }
    }
  })

  test('any changed bit of nonce, ciphertext and tag is noticed', () => {
    const { sealed } = both.seal('secret', 'a', 'credential')
    const body = Buffer.from(sealed.split('.')[2]!, 'base64url')
    for (let bit = 0; bit < body.length * 8; bit++) {
      const flipped = Buffer.from(body)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const text = `v1.new.${flipped.toString('base64url')}`
      expect(codeOf(() => both.open(text, 'a', 'credential'))).toBe('SEALED_VALUE_CORRUPT')
    }
  })

  test('any changed, lost or added character is noticed', () => {
    // Three lengths, so that the last character carries 2, 4 and 6 bits.
    for (const plaintext of ['secret', 'secret1', 'secret12']) {
      const { sealed } = both.seal(plaintext, 'a', 'credential')
      const bodyAt = sealed.lastIndexOf('.') + 1
      for (let at = 0; at < sealed.length; at++) {
        for (const character of [...BASE64URL, '.', '=', ' ']) {
          if (character === sealed[at]) continue
          const changed = sealed.slice(0, at) + character + sealed.slice(at + 1)
          const code = codeOf(() => both.open(changed, 'a', 'credential'))
          if (at >= bodyAt) expect(code).toBe('SEALED_VALUE_CORRUPT')
          else expect(['SEALED_VALUE_CORRUPT', 'KEY_MISSING']).toContain(code)
        }
        const shorter = sealed.slice(0, at) + sealed.slice(at + 1)
        expect(['SEALED_VALUE_CORRUPT', 'KEY_MISSING']).toContain(codeOf(() => both.open(shorter, 'a', 'credential')))
      }
      expect(codeOf(() => both.open(`${sealed}A`, 'a', 'credential'))).toBe('SEALED_VALUE_CORRUPT')
    }
  })

  test.each(['', 'v1', 'v1..', 'v1.new.', 'v1.new.AAAA', 'v2.new.AAAA', 'plain text', 'v1.n w.AAAA', 'v1.new.AA.AA'])(
    'garbage is corrupt: %j',
    (text) => expect(codeOf(() => both.open(text, 'a', 'credential'))).toBe('SEALED_VALUE_CORRUPT'),
  )

  test('keys for other uses differ by use, hold no sealing key, and outlast its rotation', () => {
    const [first, second] = both.deriveKeys('cookies')
    expect(first).toEqual(newSealer.deriveKeys('cookies')[0])
    expect(second).toEqual(oldSealer.deriveKeys('cookies')[0])
    expect(first).toHaveLength(32)
    expect(first).not.toEqual(second)
    expect(first).not.toEqual(both.deriveKeys('links')[0])
    expect(first!.toString('base64')).not.toBe(newKey)
  })

  test('errors hold nothing of key or secret', () => {
    const { sealed } = both.seal('planted-secret', 'a', 'credential')
    try {
      both.open(sealed, 'b', 'credential')
      expect.unreachable()
    } catch (error) {
      expect(hasCode(error, 'SEALED_VALUE_CORRUPT')).toBe(true)
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('planted')
    }
  })
})

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'opened'
}
