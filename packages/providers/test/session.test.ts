import { systemClock, tokenDigest } from '@tokenkeeper/core'
import { afterAll, describe, expect, test } from 'vitest'
import { isIssuerOf, isSameHome } from '../src/bluesky/identity.ts'
import { readClaims } from '../src/bluesky/jwt.ts'
import { readSession, successorFor } from '../src/bluesky/session.ts'
import { createBlueskyProvider, createHttp } from '../src/index.ts'
import { fakeJwt } from './servers.ts'

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const access = fakeJwt({ exp: 1_000, scope: 'com.atproto.appPass', aud: 'did:web:pds.example.com' })
const refresh = fakeJwt({ exp: 2_000, jti: 'id', aud: 'did:web:pds.example.com' })
const answer = { did: DID, handle: 'a.test', accessJwt: access, refreshJwt: refresh }

describe('readClaims', () => {
  test('what a token says, in ms', () => {
    expect(readClaims(refresh)).toEqual({
      expiresAt: 2_000_000,
      jti: 'id',
      sub: null,
      aud: 'did:web:pds.example.com',
      scopes: [],
    })
    expect(readClaims(access).scopes).toEqual(['com.atproto.appPass'])
  })

  test.each([
    ['garbage', 'garbage'],
    ['two parts', 'a.b'],
    ['no JSON', 'YQ.YQ.YQ'],
    ['JSON that is no object', `YQ.${Buffer.from('null').toString('base64url')}.YQ`],
    ['an end that is no time', fakeJwt({ exp: 'never' })],
    ['an end beyond all dates', fakeJwt({ exp: 1e20 })],
  ])('%s says nothing', (_, token) => {
    expect(readClaims(token)).toEqual({ expiresAt: null, jti: null, sub: null, aud: null, scopes: [] })
  })

  test.each([
    ['an audience that is a list', { exp: 2_000, aud: ['a', 'b'] }, { expiresAt: 2_000_000, aud: null }],
    ['an id that is a number', { exp: 2_000, jti: 7, aud: 'a' }, { expiresAt: 2_000_000, jti: null, aud: 'a' }],
    ['no end', { jti: 'id' }, { expiresAt: null, jti: 'id' }],
    ['an end with a fraction', { exp: 1.0005 }, { expiresAt: 1_000 }],
  ])('%s hides nothing else', (_, claims, says) => expect(readClaims(fakeJwt(claims))).toMatchObject(says))
})

describe('a session answer', () => {
  test('becomes the successor', () => {
    expect(successorFor(DID, readSession(answer))).toEqual({
      kind: 'refreshed',
      credential: { accessToken: access, refreshToken: refresh },
      accessExpiresAt: 1_000_000,
      diesAt: 2_000_000,
      note: null,
    })
  })

  test.each([
    [false, 'BLUESKY_DEACTIVATED'],
    [true, null],
    [undefined, null],
    ['no', null],
  ])('active: %s', (active, note) => {
    expect(successorFor(DID, readSession({ ...answer, active }))).toMatchObject({ kind: 'refreshed', note })
  })

  test.each([
    ['nothing', null],
    ['a list', []],
    ['no DID', { ...answer, did: undefined }],
    ['no refresh token', { ...answer, refreshJwt: undefined }],
    ['no access token', { ...answer, accessJwt: 1 }],
    ['an empty access token', { ...answer, accessJwt: '' }],
    ['a token that no header can carry', { ...answer, refreshJwt: `${refresh}\n` }],
    ['another scheme behind a token', { ...answer, refreshJwt: `${refresh}, Basic x` }],
  ])('%s is no successor, and the outcome is unknown', (_, data) => {
    expect(successorFor(DID, readSession(data))).toMatchObject({ code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' })
  })

  test('tokens that say nothing of themselves are a successor all the same', () => {
    const opaque = { ...answer, accessJwt: 'opaque-1', refreshJwt: 'opaque-2' }
    expect(successorFor(DID, readSession(opaque))).toEqual({
      kind: 'refreshed',
      credential: { accessToken: 'opaque-1', refreshToken: 'opaque-2' },
      accessExpiresAt: null,
      diesAt: null,
      note: null,
    })
  })

  test("somebody else's is no successor", () => {
    const verdict = successorFor(DID, readSession({ ...answer, did: 'did:plc:other' }))
    expect(verdict).toMatchObject({ kind: 'retry', code: 'PROVIDER_WRONG_ACCOUNT', spent: 'unknown' })
    expect(JSON.stringify(verdict)).not.toContain('eyJ')
  })
})

describe('isSameHome', () => {
  test.each([
    ['https://pds.example.com', 'https://pds.example.com/', true],
    ['https://PDS.example.com:443', 'https://pds.example.com', true],
    ['https://pds.example.com', 'https://pds.example.com:8443', false],
    ['https://pds.example.com', 'https://pds2.example.com', false],
    ['https://bsky.social', 'https://morel.us-east.host.bsky.network', true],
    ['https://morel.us-east.host.bsky.network', 'https://enoki.us-west.host.bsky.network', true],
    ['https://bsky.social', 'https://evilhost.bsky.network.example.com', false],
    ['https://bsky.social', 'https://evil-host.bsky.network', false],
    ['https://bsky.social', 'https://morel.us-east.host.bsky.network:8443', false],
    ['https://bsky.social', 'https://pds.example.com', false],
    ['', 'https://pds.example.com', false],
    ['', '', false],
  ])('%s and %s: %s', (a, b, same) => {
    expect(isSameHome(a, b)).toBe(same)
    expect(isSameHome(b, a)).toBe(same)
  })
})

describe('isIssuerOf', () => {
  test.each([
    ['did:web:pds.example.com', 'https://pds.example.com', true],
    ['did:web:PDS.example.com', 'https://pds.example.com:8443', true],
    ['did:web:bsky.social', 'https://morel.us-east.host.bsky.network', true],
    ['did:web:bsky.social', 'https://pds.example.com', false],
    ['did:web:example.com', 'https://pds.example.com', false],
    ['did:web:pds.example.com:path', 'https://pds.example.com', false],
    ['did:plc:ewvi7nxzyoun6zhxrhs64oiz', 'https://pds.example.com', false],
    ['', 'https://undefined', false],
    ['did:web:pds.example.com', '', false],
  ])('%s of %s: %s', (issuer, serviceUrl, expected) => expect(isIssuerOf(issuer, serviceUrl)).toBe(expected))
})

describe('small answers of the provider', () => {
  const http = createHttp({ allowedPrivateHosts: [] })
  afterAll(() => http[Symbol.asyncDispose]())
  const provider = createBlueskyProvider({ http, clock: systemClock, plcUrl: 'https://plc.directory' })

  test('a token is told apart by its jti, or by its bytes', () => {
    expect(provider.tokenId({ accessToken: access, refreshToken: refresh })).toBe('id')
    const again = fakeJwt({ exp: 9_000, jti: 'id' })
    expect(provider.tokenId({ accessToken: access, refreshToken: again })).toBe('id')
    expect(provider.tokenId({ accessToken: access, refreshToken: 'opaque' })).toBe(tokenDigest('opaque'))
  })

  test('the host to pace', () => {
    const account = {
      id: '',
      platform: 'bluesky',
      providerAppId: '',
      externalId: DID,
      issuer: null,
      diesAt: null,
    } as const
    expect(provider.hostOf({ ...account, serviceUrl: 'https://pds.example.com:8443' })).toBe('pds.example.com:8443')
    expect(provider.hostOf({ ...account, serviceUrl: null })).toBe('unknown')
  })
})
