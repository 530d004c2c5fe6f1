import { describe, expect, test } from 'vitest'
import { scrub, scrubEntry } from '../src/scrub.ts'
import { SECRET_FIELDS, SECRET_FORMS } from './secrets.ts'

describe('scrub', () => {
  test.each(Object.entries(SECRET_FORMS))('cuts %s', (_, form) => {
    const { text, secret } = form()
    expect(scrub(text)).not.toContain(secret)
    expect(scrub(text)).toContain('[secret]')
    for (const part of secret.split(/[^\w]+/).filter((part) => part.length >= 6))
      expect(scrub(text)).not.toContain(part)
  })

  test.each(Object.entries(SECRET_FORMS))('cuts %s each time that it occurs', (_, form) => {
    const first = form()
    const second = form()
    const scrubbed = scrub(`${first.text}\n${second.text}`)
    expect(scrubbed).not.toContain(first.secret)
    expect(scrubbed).not.toContain(second.secret)
  })

  test('scrubbing again changes nothing', () => {
    for (const form of Object.values(SECRET_FORMS)) {
      const once = scrub(form().text)
      expect(scrub(once)).toBe(once)
    }
  })

  test('keeps what stands around a secret', () => {
    expect(scrub('GET https://graph.example/me?fields=id&access_token=abcdef&limit=5 failed')).toBe(
      'GET https://graph.example/me?fields=id&access_token=[secret]&limit=5 failed',
    )
    expect(scrub('redis://user:pw@db.example:6379/0')).toBe('redis://[secret]@db.example:6379/0')
    expect(scrub('{"error":"ExpiredToken","accessJwt":"abc","did":"did:plc:abc"}')).toBe(
      '{"error":"ExpiredToken","accessJwt":"[secret]","did":"did:plc:abc"}',
    )
  })

  test.each([
    'refreshed 25 of 25 accounts in 1,234 ms',
    'did:plc:ewvi7nxzyoun6zhxrhs64oiz at https://bsky.social/xrpc/com.atproto.server.refreshSession',
    'account 66f0aabbccddeeff00112233, attempt 66f0aabbccddeeff00112234, generation 12',
    'token digest ba7816bf8f01cfea',
    'a sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    'a uuid 123e4567-abcd-efab-cdef-426614174000',
    'error_code=190 code=190: {"error":{"code":190,"type":"OAuthException"}}',
    'BLUESKY_SESSION_EXPIRED: The session has expired or was revoked; the user has to connect again.',
    'ExpiredToken: Token has been revoked',
    'at refresh (file:///srv/tokenkeeper/packages/engine/src/refresh.ts:12:34)',
    'listening on http://127.0.0.1:3000 and redis://localhost:6379/0, {tokenkeeper}:refresh:42',
    'mail to someone@example.org about v1.2.3',
  ])('leaves %j alone', (text) => {
    expect(scrub(text)).toBe(text)
  })

  test.each([
    '://a:',
    'eyJ',
    'EAA',
    'TH',
    'password: ',
    '"token":"',
    'token\\',
    'bearer ',
    'v1.a.',
    'abcd-',
    '\\',
    '\\"',
    'A',
    '1',
    ' ',
  ])('stays fast on 200,000 characters of %j', (piece) => {
    const text = piece.repeat(200_000 / piece.length)
    const start = performance.now()
    scrub(text)
    // Takes some 100 ms; with quadratic matching it would take minutes.
    expect(performance.now() - start).toBeLessThan(5_000)
  })
})

describe('scrubEntry', () => {
  test.each(SECRET_FIELDS)('cuts the field %s at any depth, whatever it holds', (name) => {
    for (const value of ['short', 12345, ['in', 'a', 'list'], { in: 'an object' }]) {
      expect(scrubEntry({ [name]: value })).toEqual({ [name]: '[secret]' })
      expect(scrubEntry({ a: [{ b: { [name]: value } }] })).toEqual({ a: [{ b: { [name]: '[secret]' } }] })
    }
  })

  test('whether there is a token may be told', () => {
    expect(scrubEntry({ token: true, appPassword: null })).toEqual({ token: true, appPassword: null })
  })

  test('leaves other fields as they are', () => {
    const entry = {
      tokenDigest: 'ba7816bf8f01cfea',
      keyId: 'k1',
      code: 'KEY_MISSING',
      n: 1.5,
      none: null,
      list: [1, 'a'],
    }
    expect(scrubEntry(entry)).toEqual(entry)
  })

  test('cuts a secret that stands as the name of a field', () => {
    const { text, secret } = SECRET_FORMS['a Facebook token']!()
    expect(JSON.stringify(scrubEntry({ byToken: { [text]: 1 } }))).not.toContain(secret)
  })

  test('shortens what is long, and does not follow what is deep', () => {
    const entry = scrubEntry({ body: 'x '.repeat(10_000) }) as { body: string }
    expect(entry.body).toHaveLength(10_000 + '… (10000 characters more)'.length)

    let deep: unknown = 'bottom'
    for (let n = 0; n < 5_000; n++) deep = { deep }
    expect(JSON.stringify(scrubEntry(deep))).not.toContain('bottom')
  })
})
