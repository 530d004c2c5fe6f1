import { type Credential, systemClock } from '@tokenkeeper/core'
import { type FaultRule, type Pds, type PdsAccount, startFaultProxy, startPds } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createBlueskyProvider, createHttp, type GraceProvider, type Http, type ProviderAccount } from '../src/index.ts'
import { fakeJwt, serveJson } from './servers.ts'

const HOUR = 3_600_000
const REFRESH = 'com.atproto.server.refreshSession'
const DELETE = 'com.atproto.server.deleteSession'

// A login takes a third of a second at best, and other suites may run beside this one.
vi.setConfig({ testTimeout: 30_000 })

const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())

let pds: Pds
let http: Http
let provider: GraceProvider
let logged: unknown[][]

beforeAll(async () => {
  pds = stack.use(await startPds())
  http = stack.use(createHttp({ allowedPrivateHosts: ['localhost', '127.0.0.1'] }))
  logged = []
  const log = (...entry: unknown[]) => void logged.push(entry)
  provider = createBlueskyProvider({ http, clock: systemClock, plcUrl: pds.plcUrl, log })
})

interface Subject {
  readonly pdsAccount: PdsAccount
  readonly account: ProviderAccount
  readonly credential: Credential
}

async function subject(serviceUrl = pds.url): Promise<Subject> {
  const [pdsAccount] = await pds.createAccounts(1)
  const { did, accessJwt, refreshJwt } = pdsAccount!
  return {
    pdsAccount: pdsAccount!,
    account: {
      id: '0123456789abcdef01234567',
      platform: 'bluesky',
      providerAppId: '',
      externalId: did,
      serviceUrl,
      issuer: 'did:web:localhost',
      diesAt: null,
    },
    credential: { accessToken: accessJwt, refreshToken: refreshJwt },
  }
}

async function refreshed(account: ProviderAccount, credential: Credential) {
  const answer = await provider.refresh(account, credential)
  if (answer.kind !== 'refreshed') throw new Error(`refresh: ${JSON.stringify(answer)}`)
  return answer
}

describe.concurrent('refresh at a real PDS', () => {
  test('the successor works and its times are its own', async () => {
    const { account, credential } = await subject()
    const now = Date.now()
    const answer = await refreshed(account, credential)
    expect(answer.note).toBeNull()
    expect(answer.accessExpiresAt! - now).toBeGreaterThan(2 * HOUR - 60_000)
    expect(answer.accessExpiresAt! - now).toBeLessThan(2 * HOUR + 60_000)
    expect(answer.diesAt! - now).toBeGreaterThan(90 * 24 * HOUR - 60_000)
    expect(provider.tokenId(answer.credential)).not.toBe(provider.tokenId(credential))
    expect(await pds.getSession(answer.credential.accessToken)).toMatchObject({
      status: 200,
      body: { did: account.externalId },
    })
    await refreshed(account, answer.credential)
  })

  test('the same token twice, also at once, gives the same successor by its id', async () => {
    const { account, credential } = await subject()
    const first = await refreshed(account, credential)
    const more = await Promise.all(Array.from({ length: 5 }, () => refreshed(account, credential)))
    const ids = [first, ...more].map((answer) => provider.tokenId(answer.credential))
    expect(new Set(ids).size).toBe(1)
  })

  test('a deactivated account is refreshed, with a note', async () => {
    const { account, credential, pdsAccount } = await subject()
    await pds.deactivate(pdsAccount)
    expect(await refreshed(account, credential)).toMatchObject({ note: 'BLUESKY_DEACTIVATED' })
  })

  test('taken down', async () => {
    const { account, credential } = await subject()
    await pds.admin.takedown(account.externalId)
    expect(await provider.refresh(account, credential)).toMatchObject({
      kind: 'needs_action',
      code: 'BLUESKY_TAKEN_DOWN',
    })
    await pds.admin.untakedown(account.externalId)
    expect(await provider.refresh(account, credential)).toMatchObject({ kind: 'dead', code: 'BLUESKY_SESSION_EXPIRED' })
  })

  test('deleted', async () => {
    const { account, credential } = await subject()
    await pds.deleteAccount(account.externalId)
    expect(await provider.refresh(account, credential)).toMatchObject({ kind: 'dead', code: 'BLUESKY_ACCOUNT_GONE' })
  })

  test('password changed', async () => {
    const { account, credential, pdsAccount } = await subject()
    await pds.changePassword(pdsAccount)
    expect(await provider.refresh(account, credential)).toMatchObject({ kind: 'dead', code: 'BLUESKY_SESSION_EXPIRED' })
  })

  test.each([
    ['an access token', ({ credential }: Subject) => credential.accessToken],
    ['a bad signature', ({ credential }: Subject) => credential.refreshToken.replace(/.{8}$/, 'AAAAAAAA')],
    ['garbage', () => 'garbage'],
  ])('%s is refused', async (_, token) => {
    const one = await subject()
    const refreshToken = token(one)
    const answer = await provider.refresh({ ...one.account, issuer: null }, { ...one.credential, refreshToken })
    expect(answer).toMatchObject({ kind: 'dead', code: 'BLUESKY_TOKEN_REFUSED' })
  })

  test("another issuer's token is not sent", async () => {
    await using proxy = await startFaultProxy({ target: pds.url })
    const { account, credential } = await subject(proxy.url)
    for (const refreshToken of [fakeJwt({ exp: 2e9, aud: 'did:web:elsewhere.example' }), 'garbage']) {
      const answer = await provider.refresh(account, { ...credential, refreshToken })
      expect(answer).toMatchObject({ kind: 'bug', code: 'BLUESKY_WRONG_ISSUER' })
    }
    expect(proxy.requests).toEqual([])
  })

  test('a host that had another name as issuer keeps its sessions', async () => {
    const { account, credential } = await subject()
    await refreshed({ ...account, issuer: 'did:web:old-name.example' }, credential)
  })
})

describe.concurrent('refresh of a host that fails', () => {
  const noFault = { kind: 'refreshed' }
  test.each<[string, FaultRule, object]>([
    ['connection cut', { kind: 'drop_request' }, { code: 'PROVIDER_UNAVAILABLE', spent: 'unknown' }],
    ['answer lost', { kind: 'drop_answer' }, { code: 'PROVIDER_UNAVAILABLE', spent: 'unknown' }],
    ['late answer', { kind: 'delay', ms: 50 }, noFault],
    ['502', { kind: 'status', status: 502 }, { code: 'PROVIDER_UNAVAILABLE', spent: 'unknown' }],
    ['HTML 401', { kind: 'html_401' }, { code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' }],
    ['HTML 403', { kind: 'status', status: 403 }, { code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' }],
    ['HTML 200', { kind: 'status', status: 200 }, { code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' }],
    ['half a 200', { kind: 'truncate' }, { code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' }],
    ['half a 200, cut', { kind: 'truncate', cut: true }, { code: 'PROVIDER_UNAVAILABLE', spent: 'unknown' }],
    ['endless 200', { kind: 'endless' }, { code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' }],
    ['429 with retry-after', { kind: 'rate_limited', retryAfterS: 9 }, { kind: 'snooze', scope: 'host' }],
    ['429 without', { kind: 'rate_limited' }, { kind: 'snooze', scope: 'host' }],
  ])('%s: said as it is, asked once; then the same token works', async (_, rule, expected) => {
    await using proxy = await startFaultProxy({ target: pds.url })
    const { account, credential } = await subject(proxy.url)
    proxy.fault({ ...rule, times: 1 })
    expect(await provider.refresh(account, credential)).toMatchObject(expected)
    expect(proxy.requestsTo(REFRESH)).toHaveLength(1)
    const { credential: successor } = await refreshed(account, credential)
    expect((await pds.getSession(successor.accessToken)).status).toBe(200)
  })

  test('nobody listens: surely not spent', async () => {
    const proxy = await startFaultProxy({ target: pds.url })
    const { account, credential } = await subject(proxy.url)
    await proxy[Symbol.asyncDispose]()
    expect(await provider.refresh(account, credential)).toMatchObject({ code: 'PROVIDER_UNREACHABLE', spent: 'no' })
  })

  test('a redirect is not followed: no token reaches its target', async () => {
    await using target = await serveJson(200, {})
    await using proxy = await startFaultProxy({ target: pds.url })
    const { account, credential } = await subject(proxy.url)
    proxy.fault({ kind: 'redirect', to: target.url })
    const answer = await provider.refresh(account, credential)
    expect(answer).toMatchObject({ code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' })
    expect(target.requests).toEqual([])
  })

  test("another account's session is not taken", async () => {
    const other = await subject()
    await using proxy = await startFaultProxy({ target: pds.url })
    const { account, credential } = await subject(proxy.url)
    proxy.fault({
      kind: 'rewrite',
      rewrite: (answer) => ({
        ...answer,
        body: String(answer.body).replaceAll(account.externalId, other.account.externalId),
      }),
    })
    const answer = await provider.refresh(account, credential)
    expect(answer).toMatchObject({ kind: 'retry', code: 'PROVIDER_WRONG_ACCOUNT', spent: 'unknown' })
    expect(JSON.stringify(answer)).not.toContain('eyJ')
  })

  test('an error that repeats the token is cut', async () => {
    await using proxy = await startFaultProxy({ target: pds.url })
    const { account, credential } = await subject(proxy.url)
    const echo = JSON.stringify({ error: 'InvalidToken', message: `no: Bearer ${credential.refreshToken}.` })
    proxy.fault({ kind: 'status', status: 400, headers: { 'content-type': 'application/json' }, body: echo })
    const answer = await provider.refresh(account, credential)
    expect(answer).toEqual({
      kind: 'dead',
      code: 'BLUESKY_TOKEN_REFUSED',
      internal: 'refresh: 400 InvalidToken: no: Bearer [token].',
    })
  })

  test('a private address that is no exception is refused before anything is sent', async () => {
    const { account, credential } = await subject()
    await using strict = createHttp({ allowedPrivateHosts: [] })
    const careful = createBlueskyProvider({ http: strict, clock: systemClock, plcUrl: pds.plcUrl })
    expect(await careful.refresh(account, credential)).toMatchObject({ code: 'ADDRESS_REFUSED', spent: 'no' })
  })
})

describe.concurrent('logout', () => {
  test('ends every token of the chain that is still in its grace', async () => {
    const { account, credential: first } = await subject()
    const { credential: second } = await refreshed(account, first)
    await provider.logout(account, [first, second])
    for (const credential of [first, second]) {
      expect(await provider.refresh(account, credential)).toMatchObject({
        kind: 'dead',
        code: 'BLUESKY_SESSION_EXPIRED',
      })
    }
  })

  test('goes on after a failure, tells it, and never rejects', async () => {
    await using proxy = await startFaultProxy({ target: pds.url })
    const { account, credential: first } = await subject(proxy.url)
    const { credential: second } = await refreshed(account, first)
    proxy.fault({ kind: 'drop_request', times: 1, match: ({ path }) => path.endsWith(DELETE) })
    const mine = { ...account, id: 'fedcba987654321001234567' }
    await provider.logout(mine, [first, second])
    expect(proxy.requestsTo(DELETE)).toHaveLength(2)
    expect(await provider.refresh(account, second)).toMatchObject({ kind: 'dead' })
    const told = logged.filter(([, fields]) => (fields as { accountId: string }).accountId === mine.id)
    expect(told).toEqual([
      ['log-out failed', { accountId: mine.id, code: 'PROVIDER_UNAVAILABLE', internal: expect.any(String) }],
    ])
  })
})

describe.concurrent('loginAgain', () => {
  test('with an app password: a session of its own', async () => {
    const { account, credential, pdsAccount } = await subject()
    const appPassword = await pds.createAppPassword(pdsAccount)
    const answer = await provider.loginAgain(account, appPassword)
    if (answer.kind !== 'refreshed') throw new Error(answer.code)
    expect(provider.tokenId(answer.credential)).not.toBe(provider.tokenId(credential))
    expect((await pds.getSession(answer.credential.accessToken)).status).toBe(200)
  })

  test('with one that is none: dead, and the words hold no password', async () => {
    const { account } = await subject()
    const answer = await provider.loginAgain(account, 'abcd-efgh-ijkl-mnop')
    expect(answer).toMatchObject({ kind: 'dead', code: 'BLUESKY_SESSION_EXPIRED' })
    expect(JSON.stringify(answer)).not.toContain('abcd-efgh')
  })

  test.each<[string, FaultRule, object]>([
    ['429', { kind: 'rate_limited', retryAfterS: 30 }, { kind: 'snooze', code: 'PROVIDER_RATE_LIMITED' }],
    ['HTML 401', { kind: 'html_401' }, { kind: 'retry', code: 'PROVIDER_BAD_ANSWER' }],
    ['502', { kind: 'status', status: 502 }, { kind: 'retry', code: 'PROVIDER_UNAVAILABLE' }],
    ['half a 200', { kind: 'truncate' }, { kind: 'retry', code: 'PROVIDER_BAD_ANSWER' }],
    ['an empty object', jsonFault({}), { kind: 'retry', code: 'PROVIDER_BAD_ANSWER' }],
  ])('%s', async (_, rule, expected) => {
    await using proxy = await startFaultProxy({ target: pds.url })
    const { account, pdsAccount } = await subject(proxy.url)
    proxy.fault(rule)
    expect(await provider.loginAgain(account, pdsAccount.password)).toMatchObject(expected)
  })

  test('the password is not sent on to where a redirect points', async () => {
    await using target = await serveJson(200, {})
    await using proxy = await startFaultProxy({ target: pds.url })
    const { account, pdsAccount } = await subject(proxy.url)
    proxy.fault({ kind: 'redirect', to: target.url })
    expect(await provider.loginAgain(account, pdsAccount.password)).toMatchObject({ code: 'PROVIDER_BAD_ANSWER' })
    expect(target.requests).toEqual([])
  })

  test("another account's session is not taken", async () => {
    const { account } = await subject()
    const { pdsAccount } = await subject()
    await using proxy = await startFaultProxy({ target: pds.url })
    proxy.fault({
      kind: 'rewrite',
      rewrite: (answer) => ({
        ...answer,
        body: String(answer.body).replaceAll(pdsAccount.did, 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'),
      }),
    })
    const answer = await provider.loginAgain(
      { ...account, externalId: pdsAccount.did, serviceUrl: proxy.url },
      pdsAccount.password,
    )
    expect(answer).toMatchObject({ code: 'PROVIDER_WRONG_ACCOUNT' })
  })
})

describe.concurrent('locate', () => {
  test('here, then moved', async () => {
    const { account } = await subject()
    expect(await provider.locate(account)).toEqual({ kind: 'here' })
    await pds.moveDid(account.externalId, 'https://elsewhere.example:8443')
    expect(await provider.locate(account)).toEqual({ kind: 'moved', host: 'https://elsewhere.example:8443' })
  })

  test('gone: the directory does not know the DID', async () => {
    const { account } = await subject()
    expect(await provider.locate({ ...account, externalId: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' })).toEqual({
      kind: 'gone',
    })
  })
})

function jsonFault(body: object): FaultRule {
  return { kind: 'status', status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}
