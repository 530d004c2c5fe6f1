import type { Verdict } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { classify } from '../src/bluesky/classify.ts'
import type { HttpResult } from '../src/http/http.ts'

const NOW = Date.UTC(2026, 10, 22, 12)
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzY29wZSI6ImNvbS5hdHByb3RvLnJlZnJlc2gifQ.c2lnbmF0dXJl'

const DEAD = { kind: 'dead', code: 'BLUESKY_SESSION_EXPIRED' } as const
const REFUSED = { kind: 'dead', code: 'BLUESKY_TOKEN_REFUSED' } as const
const GONE = { kind: 'dead', code: 'BLUESKY_ACCOUNT_GONE' } as const
const BUG = { kind: 'bug', code: 'PROVIDER_REJECTED_REQUEST' } as const
const DOWN = { kind: 'needs_action', code: 'BLUESKY_TAKEN_DOWN' } as const
const BAD_ANSWER = { kind: 'retry', code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' } as const
const UNAVAILABLE = { kind: 'retry', code: 'PROVIDER_UNAVAILABLE', spent: 'unknown' } as const

describe('refreshSession: exact replies', () => {
  test.each<[string, number, string, string, Verdict]>([
    ['JWT past exp', 400, 'ExpiredToken', 'Token has expired', DEAD],
    [
      'rotated out, deleted, app password revoked, password changed',
      400,
      'ExpiredToken',
      'Token has been revoked',
      DEAD,
    ],
    ['access token, garbage, bad signature, wrong aud', 400, 'InvalidToken', 'Token could not be verified', REFUSED],
    ['app-password session where more is asked', 400, 'InvalidToken', 'Bad token scope', REFUSED],
    ['no auth, or Basic', 401, 'AuthMissing', 'Authentication Required', BUG],
    ['a body was sent', 400, 'InvalidRequest', 'A request body was provided when none was expected', BUG],
    ['GET', 400, 'InvalidRequest', 'Incorrect HTTP method (GET) expected POST', BUG],
    ['taken down', 401, 'AccountTakedown', 'Account has been taken down', DOWN],
    ['account deleted or never here', 400, 'InvalidRequest', 'Could not find user info for account: did:plc:x', GONE],
    ['an error no row knows', 400, 'Novelty', 'something new', BAD_ANSWER],
    ['a password error where no password was sent', 401, 'AuthenticationRequired', 'Invalid identifier', BAD_ANSWER],
    ['the server broke', 500, 'InternalServerError', 'Internal Server Error', UNAVAILABLE],
    ['a dead code is not believed with a 5xx', 502, 'ExpiredToken', 'Token has expired', UNAVAILABLE],
    ['nor with another status', 404, 'InvalidToken', 'Token could not be verified', BAD_ANSWER],
  ])('%s: %i %s', (_, status, error, message, verdict) => {
    const result = classify('refresh', xrpc(status, error, message), NOW, [TOKEN])
    expect(result).toEqual({ ...verdict, internal: expect.any(String) })
    expect(result.internal).toContain(String(status))
  })
})

describe('refreshSession: outcomes without an XRPC error', () => {
  test.each<[string, HttpResult, Verdict]>([
    ['nothing was sent', notSent('PROVIDER_UNREACHABLE'), { kind: 'retry', code: 'PROVIDER_UNREACHABLE', spent: 'no' }],
    ['the address is refused', notSent('ADDRESS_REFUSED'), { kind: 'retry', code: 'ADDRESS_REFUSED', spent: 'no' }],
    ['the address is none', notSent('ADDRESS_INVALID'), { kind: 'retry', code: 'ADDRESS_INVALID', spent: 'no' }],
    ['time-out', lost('timeout'), { kind: 'retry', code: 'PROVIDER_TIMEOUT', spent: 'unknown' }],
    ['reset', lost('reset'), UNAVAILABLE],
    ['endless body', lost('too_large'), BAD_ANSWER],
    ['not HTTP', lost('malformed'), BAD_ANSWER],
    ["a firewall's 401", html(401), BAD_ANSWER],
    ["a firewall's 403", html(403), BAD_ANSWER],
    ['HTML 400', html(400), BAD_ANSWER],
    ['HTML that speaks of ExpiredToken', html(400, '{"error":"ExpiredToken"} <p>'), BAD_ANSWER],
    ['JSON that is no XRPC error', answer(401, '{"error":{"code":"ExpiredToken"}}'), BAD_ANSWER],
    ['JSON with the name elsewhere', answer(400, '{"message":"ExpiredToken"}'), BAD_ANSWER],
    ['empty 403', answer(403, ''), BAD_ANSWER],
    ['redirect', answer(302, ''), BAD_ANSWER],
    ['not found', html(404), BAD_ANSWER],
    ['bad gateway', html(502), UNAVAILABLE],
    ['unavailable', answer(503, ''), UNAVAILABLE],
    ['a 2xx that is no 200', answer(204, ''), BAD_ANSWER],
  ])('%s', (_, result, verdict) => {
    expect(classify('refresh', result, NOW, [TOKEN])).toEqual({ ...verdict, internal: expect.any(String) })
  })
})

describe('createSession', () => {
  test.each<[string, number, string, string, Verdict]>([
    [
      'wrong password, unknown id, revoked app password',
      401,
      'AuthenticationRequired',
      'Invalid identifier or password',
      DEAD,
    ],
    ['e-mail code asked for', 401, 'AuthFactorTokenRequired', 'A sign in code has been sent', DEAD],
    ['taken down', 401, 'AccountTakedown', 'Account has been taken down', DOWN],
    ['malformed', 400, 'InvalidRequest', 'Input/identifier must be a string', BUG],
  ])('%s: %i %s', (_, status, error, message, verdict) => {
    const result = classify('login', xrpc(status, error, message), NOW, [])
    expect(result).toEqual({ ...verdict, internal: expect.any(String) })
  })

  test("a firewall's 401 says nothing of the password", () => {
    expect(classify('login', html(401), NOW, [])).toMatchObject(BAD_ANSWER)
  })
})

describe('429', () => {
  const hour = 3_600_000
  test.each<[string, Record<string, string>, number]>([
    ['retry-after in seconds', { 'retry-after': '17' }, 17_000],
    ['retry-after as a date', { 'retry-after': new Date(NOW + 90_000).toUTCString() }, 90_000],
    ['retry-after before ratelimit-reset', { 'retry-after': '5', 'ratelimit-reset': epoch(300) }, 5_000],
    ['ratelimit-reset', { 'ratelimit-reset': epoch(300) }, 300_000],
    ['an unreadable retry-after, then ratelimit-reset', { 'retry-after': 'soon', 'ratelimit-reset': epoch(7) }, 7_000],
    ['neither', {}, 60_000],
    ['neither readable', { 'retry-after': '', 'ratelimit-reset': 'x' }, 60_000],
    ['no time at all', { 'retry-after': '0' }, 1_000],
    ['a negative time', { 'retry-after': '-86400' }, 1_000],
    ['a reset in the past', { 'ratelimit-reset': epoch(-50) }, 1_000],
    ['a day', { 'retry-after': '86400' }, hour],
    ['a date next year', { 'retry-after': 'Fri, 01 Jan 2027 00:00:00 GMT' }, hour],
  ])('%s', (_, headers, wait) => {
    const result = answer(429, '{"error":"RateLimitExceeded","message":"Rate Limit Exceeded"}', headers)
    expect(classify('refresh', result, NOW, [])).toMatchObject({
      kind: 'snooze',
      code: 'PROVIDER_RATE_LIMITED',
      until: NOW + wait,
      scope: 'host',
    })
  })
})

describe('internal words', () => {
  test.each([
    ['in the message', xrpc(400, 'InvalidToken', `bad token ${TOKEN} sent`)],
    ['as the error name', xrpc(400, TOKEN, '')],
    ['in the content type', answer(401, '', { 'content-type': TOKEN })],
    ['in a library error', { kind: 'unknown', reason: 'reset', internal: `oops ${TOKEN}` } as const],
  ])('the token is cut out %s', (_, result) => {
    const { internal } = classify('refresh', result, NOW, [TOKEN])
    expect(internal).toContain('[token]')
    for (const part of TOKEN.split('.')) expect(internal).not.toContain(part)
  })
})

function answer(status: number, body: string, headers: Record<string, string> = {}): HttpResult {
  return { kind: 'answer', status, headers: { 'content-type': 'application/json', ...headers }, body }
}

function xrpc(status: number, error: string, message: string): HttpResult {
  return answer(status, JSON.stringify({ error, message }))
}

function html(status: number, body = '<html>Blocked</html>'): HttpResult {
  return answer(status, body, { 'content-type': 'text/html' })
}

function notSent(code: 'ADDRESS_INVALID' | 'ADDRESS_REFUSED' | 'PROVIDER_UNREACHABLE'): HttpResult {
  return { kind: 'not_sent', code, internal: 'ECONNREFUSED' }
}

function lost(reason: 'timeout' | 'reset' | 'too_large' | 'malformed'): HttpResult {
  return { kind: 'unknown', reason, internal: 'x' }
}

function epoch(seconds: number): string {
  return String(NOW / 1000 + seconds)
}
