import { DAY, systemClock } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { createHttp, readStoredSession, readStoredToken, type StoredSession } from '../src/index.ts'
import { fakeJwt } from './servers.ts'

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const NOW = Date.UTC(2026, 10, 22)
const END = NOW + 90 * DAY
const clock = { ...systemClock, now: () => NOW }
const bluesky = { http: createHttp({ allowedPrivateHosts: ['localhost:2583'] }), clock, plcUrl: 'https://plc.invalid' }

const accessJwt = fakeJwt({ scope: 'com.atproto.appPass', sub: DID, exp: NOW / 1000 })
const refreshClaims = { scope: 'com.atproto.refresh', sub: DID, aud: 'did:web:pds.example.com', exp: END / 1000 }
const session = (claims: object = {}, more: Partial<StoredSession> = {}): StoredSession => ({
  accessJwt,
  refreshJwt: fakeJwt({ ...refreshClaims, ...claims }),
  ...more,
})
const read = (stored: StoredSession) => () => readStoredSession(bluesky, stored)

describe('a session that was stored elsewhere', () => {
  test('tells by its tokens alone whose it is, who issued it and until when', () => {
    const stored = session()
    expect(readStoredSession(bluesky, stored)).toEqual({
      platform: 'bluesky',
      providerAppId: '',
      externalId: DID,
      displayName: DID,
      serviceUrl: 'https://pds.example.com',
      issuer: 'did:web:pds.example.com',
      scopes: ['com.atproto.appPass'],
      credential: { accessToken: stored.accessJwt, refreshToken: stored.refreshJwt },
      accessExpiresAt: NOW,
      diesAt: END,
      issuedAt: null,
    })
  })

  test.each(['pds.example.com', 'https://pds.example.com/', 'https://pds.example.com/xrpc'])('at %s', (service) => {
    const login = readStoredSession(bluesky, session({}, { service, did: DID, handle: 'a.test' }))
    expect(login).toMatchObject({ serviceUrl: 'https://pds.example.com', displayName: 'a.test' })
  })

  test('of Bluesky goes to the entryway, or to the host behind it', () => {
    const aud = 'did:web:bsky.social'
    expect(readStoredSession(bluesky, session({ aud })).serviceUrl).toBe('https://bsky.social')
    const service = 'https://morel.us-east.host.bsky.network'
    expect(readStoredSession(bluesky, session({ aud }, { service })).serviceUrl).toBe(service)
  })

  test.each([
    ['an access token for a refresh token', { accessJwt, refreshJwt: accessJwt }, 'IMPORT_TOKEN_INVALID'],
    ['no JWT', { accessJwt, refreshJwt: 'abc' }, 'IMPORT_TOKEN_INVALID'],
    ['a line break in a token', { accessJwt: `${accessJwt}\n`, refreshJwt: 'abc' }, 'IMPORT_TOKEN_INVALID'],
    ['nobody named', session({ sub: undefined }), 'IMPORT_TOKEN_INVALID'],
    ['a DID of a kind that has no accounts', session({ sub: 'did:key:zQ3s' }), 'IMPORT_TOKEN_INVALID'],
    ['another DID', session({}, { did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' }), 'PROVIDER_WRONG_ACCOUNT'],
    ['another host', session({}, { service: 'https://evil.example.com' }), 'BLUESKY_WRONG_ISSUER'],
    ['a private host', session({ aud: 'did:web:localhost' }), 'ADDRESS_REFUSED'],
    ['no https', session({}, { service: 'http://pds.example.com' }), 'ADDRESS_INVALID'],
    ['no host at all', session({ aud: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' }), 'IMPORT_FIELD_MISSING'],
    ['an end that is over', session({ exp: NOW / 1000 - 1 }), 'IMPORT_TOKEN_EXPIRED'],
    ['no end', session({ exp: undefined }), 'IMPORT_TOKEN_EXPIRED'],
  ])('%s is refused', (_, stored, code) => expect(read(stored)).toThrow(expect.objectContaining({ code })))
})

describe('a token that was stored elsewhere', () => {
  const options = { app: { id: '1', secret: 's' }, clock }
  const stored = {
    platform: 'meta',
    externalId: '10',
    accessToken: 'EAAtoken',
    expiresAt: END,
    dataAccessExpiresAt: null,
    issuedAt: null,
    scopes: ['email'],
  } as const

  test('is taken as it is, for the app that is configured', () => {
    expect(readStoredToken(options, { ...stored, appId: '1' })).toEqual({
      platform: 'meta',
      providerAppId: '1',
      externalId: '10',
      displayName: '10',
      serviceUrl: null,
      issuer: null,
      scopes: ['email'],
      credential: { accessToken: 'EAAtoken', refreshToken: '' },
      accessExpiresAt: END,
      diesAt: END,
      dataAccessExpiresAt: null,
      issuedAt: null,
    })
  })

  test('may have no end', () => expect(readStoredToken(options, { ...stored, expiresAt: null }).diesAt).toBeNull())

  test('of Threads was given sixty days before its end, unless it is told', () => {
    const threads = { ...stored, platform: 'threads' } as const
    expect(readStoredToken(options, threads).issuedAt).toBe(END - 60 * DAY)
    expect(readStoredToken(options, { ...threads, issuedAt: 7 }).issuedAt).toBe(7)
  })

  test.each([
    ['another app', { appId: '2' }, 'APP_CHANGED'],
    ['an end that is over', { expiresAt: NOW }, 'IMPORT_TOKEN_EXPIRED'],
    ['what no header can hold', { accessToken: 'a b' }, 'IMPORT_TOKEN_INVALID'],
  ])('%s is refused', (_, wrong, code) => {
    expect(() => readStoredToken(options, { ...stored, ...wrong })).toThrow(expect.objectContaining({ code }))
  })
})
