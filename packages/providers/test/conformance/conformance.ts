import type { Verdict } from '@tokenkeeper/core'
import { type FaultRule, startFaultProxy } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import type { FreshLogin, RefreshAnswer } from '../../src/index.ts'
import { serveJson } from '../servers.ts'
import type { OpenProvider, ProviderFixture } from './fixture.ts'

const json = { 'content-type': 'application/json' }

/** What proves nothing about a token, and where no answer with a successor can have come from. */
const FAULTS: readonly [string, FaultRule][] = [
  ['the connection is cut', { kind: 'drop_request' }],
  ['the answer is lost', { kind: 'drop_answer' }],
  ["a firewall's 401", { kind: 'html_401' }],
  ["a gateway's 403", { kind: 'status', status: 403 }],
  ['an HTML 200', { kind: 'status', status: 200 }],
  ['an empty 500', { kind: 'status', status: 500, body: '' }],
  ['an HTML 503', { kind: 'status', status: 503 }],
  ['half an answer', { kind: 'truncate' }],
  ['an answer cut off', { kind: 'truncate', cut: true }],
  ['an endless answer', { kind: 'endless' }],
  ['an empty object', { kind: 'status', status: 200, headers: json, body: '{}' }],
  ['null', { kind: 'status', status: 200, headers: json, body: 'null' }],
  ['a 429', { kind: 'rate_limited', retryAfterS: 60 }],
]

/** Declares the tests that every provider must pass. `open` is called once for each test. */
export function providerConformance(name: string, open: OpenProvider): void {
  describe.concurrent(`${name} conforms`, () => {
    test('a login says whose it is, and how long it lives', async () => {
      await using fixture = await open()
      const login = await fixture.connect()
      const { provider } = fixture.at(fixture.url)
      expect(login.platform).toBe(provider.platform)
      expect(login.externalId).not.toBe('')
      expect(login.displayName).not.toBe('')
      expect(login.diesAt).toBeGreaterThanOrEqual(login.accessExpiresAt!)
      expect(await fixture.accepts(login.credential)).toBe(true)
    })

    test('a refresh yields a token that works and lives longer', async () => {
      await using fixture = await open()
      const login = await fixture.connect()
      const answer = await refresh(fixture, login)
      if (answer.kind !== 'refreshed') throw new Error(JSON.stringify(answer))
      expect(await fixture.accepts(answer.credential)).toBe(true)
      expect(answer.diesAt).toBeGreaterThanOrEqual(login.diesAt!)
      expect(answer.diesAt).toBeGreaterThanOrEqual(answer.accessExpiresAt!)
      expect(answer.note).toBeNull()
    })

    test('the same token at once, and once more', async () => {
      await using fixture = await open()
      const login = await fixture.connect()
      const together = await Promise.all([refresh(fixture, login), refresh(fixture, login)])
      for (const answer of [...together, await refresh(fixture, login)]) {
        expect(answer.kind).toBe('refreshed')
        if (answer.kind === 'refreshed') expect(await fixture.accepts(answer.credential)).toBe(true)
      }
    })

    test.each(FAULTS)('%s is no verdict on the token', async (_, rule) => {
      await using fixture = await open()
      const login = await fixture.connect()
      await using proxy = await startFaultProxy({ target: fixture.url })
      proxy.fault(rule)
      const answer = await refresh(fixture, login, proxy.url)
      expect(['retry', 'snooze']).toContain(answer.kind)
      expectNoSecret(fixture, login, answer)
      expect(proxy.requests).toHaveLength(1)
      expect((await refresh(fixture, login)).kind).toBe('refreshed')
    })

    test('a host that cannot be reached was sent nothing', async () => {
      await using fixture = await open()
      const login = await fixture.connect()
      await using proxy = await startFaultProxy({ target: fixture.url })
      await proxy[Symbol.asyncDispose]()
      expect(await refresh(fixture, login, proxy.url)).toMatchObject({
        kind: 'retry',
        code: 'PROVIDER_UNREACHABLE',
        spent: 'no',
      })
    })

    test('a redirect is not followed', async () => {
      await using fixture = await open()
      const login = await fixture.connect()
      await using target = await serveJson(200, {})
      await using proxy = await startFaultProxy({ target: fixture.url })
      proxy.fault({ kind: 'redirect', to: target.url })
      expect((await refresh(fixture, login, proxy.url)).kind).toBe('retry')
      expect(target.requests).toEqual([])
    })

    test('a refusal that repeats the token is told without it', async () => {
      await using fixture = await open()
      const login = await fixture.connect()
      await using proxy = await startFaultProxy({ target: fixture.url })
      const { accessToken, refreshToken } = login.credential
      const body = JSON.stringify(fixture.refusal(`${accessToken} ${refreshToken} ${fixture.secrets.join(' ')}`))
      proxy.fault({ kind: 'status', status: 400, headers: json, body })
      const answer = await refresh(fixture, login, proxy.url)
      expect(answer.kind).toBe('dead')
      expectNoSecret(fixture, login, answer)
    })

    test('a session that the user has ended is dead', async () => {
      await using fixture = await open()
      const login = await fixture.connect()
      await fixture.revoke(login)
      const answer = await refresh(fixture, login)
      expect(answer.kind).toBe('dead')
      expectNoSecret(fixture, login, answer)
    })

    test('a log-out never rejects, whatever the host does', async () => {
      await using fixture = await open()
      const login = await fixture.connect()
      await using proxy = await startFaultProxy({ target: fixture.url })
      const { provider, account } = fixture.at(proxy.url)
      for (const rule of [{ kind: 'drop_request' }, { kind: 'html_401' }, { kind: 'truncate' }] as const) {
        const fault = proxy.fault(rule)
        await provider.logout(account(login), [login.credential, login.credential])
        fault.release()
      }
      await proxy[Symbol.asyncDispose]()
      await provider.logout(account(login), [login.credential])
      await provider.logout(account(login), [])
    })

    test('the host to pace is where requests go', async () => {
      await using fixture = await open()
      const login = await fixture.connect()
      const { provider, account } = fixture.at(fixture.url)
      expect(provider.hostOf(account(login))).toBe(new URL(fixture.url).host)
    })
  })
}

function refresh(fixture: ProviderFixture, login: FreshLogin, url = fixture.url): Promise<RefreshAnswer> {
  const { provider, account } = fixture.at(url)
  return provider.refresh(account(login), login.credential)
}

function expectNoSecret(fixture: ProviderFixture, { credential }: FreshLogin, answer: RefreshAnswer | Verdict): void {
  const told = JSON.stringify(answer)
  const secrets = [credential.accessToken, credential.refreshToken, ...fixture.secrets].filter((it) => it !== '')
  for (const secret of secrets) expect(told).not.toContain(secret)
}
