import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { idFrom, isId, makeId, tokenDigest } from '../src/index.ts'

describe('makeId', () => {
  test('makes ids that differ', () => {
    const ids = Array.from({ length: 10_000 }, () => makeId())
    expect(ids.every(isId)).toBe(true)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('begins with the second in which it was made', () => {
    const before = Math.floor(Date.now() / 1000)
    const second = Number.parseInt(makeId().slice(0, 8), 16)
    expect(second).toBeGreaterThanOrEqual(before)
    expect(second).toBeLessThanOrEqual(Math.floor(Date.now() / 1000))
  })
})

test.each(['', 'abc', 'A'.repeat(24), 'g'.repeat(24), '0'.repeat(23), '0'.repeat(25), `${'0'.repeat(24)}\n`])(
  'isId refuses %j',
  (value) => {
    expect(isId(value)).toBe(false)
  },
)

describe('idFrom', () => {
  const parts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\0', '"', ',', '\\', '\ud800') }), {
    maxLength: 4,
  })

  test('is an id, and the same for the same parts', () => {
    fc.assert(
      fc.property(parts, (parts) => {
        expect(idFrom(...parts)).toSatisfy(isId)
        expect(idFrom(...parts)).toBe(idFrom(...parts))
      }),
    )
  })

  test('differs wherever the parts differ, also in where one part ends and the next begins', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b))
        expect(idFrom(...a)).not.toBe(idFrom(...b))
      }),
      { numRuns: 2_000 },
    )
    expect(idFrom('a\0b')).not.toBe(idFrom('a', 'b'))
    expect(idFrom('ab', '')).not.toBe(idFrom('a', 'b'))
    expect(idFrom('\ud800')).not.toBe(idFrom('\ufffd'))
  })
})

describe('tokenDigest', () => {
  test('is the beginning of the SHA-256', () => {
    expect(tokenDigest('abc')).toBe('ba7816bf8f01cfea')
  })

  test('differs from token to token and holds nothing of it', () => {
    const tokens = Array.from({ length: 1_000 }, (_, n) => `secret-token-${n}`)
    const digests = tokens.map(tokenDigest)
    expect(new Set(digests).size).toBe(tokens.length)
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{16}$/)
  })
})
