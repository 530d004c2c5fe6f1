import type { PageVerdict } from '@tokenkeeper/core'
import { DAY, HOUR, MINUTE, SECOND } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { classify, type GraphCall } from '../src/graph/classify.ts'
import type { HttpResult } from '../src/http/http.ts'

const NOW = Date.UTC(2026, 10, 22, 12)
const TOKEN = 'EAAGm0PX4ZCpsBAKZCq7ZBwPk3xYvTn5QeHsLdRfUoJiWbXaMcVgKtEySpNhDlFzOuIrAwBvCxD'
const SECRET = '0123456789abcdef0123456789abcdef'

interface Told {
  readonly code?: number
  readonly subcode?: number
  readonly message?: string
  readonly type?: string
  readonly transient?: boolean
  readonly status?: number
}

const UNAVAILABLE = { kind: 'retry', code: 'PROVIDER_UNAVAILABLE', spent: 'no' } as const
const SECRET_WRONG = { kind: 'halt', code: 'META_APP_SECRET_WRONG', suspect: 'app' } as const
const APP_INVALID = { kind: 'halt', code: 'META_APP_INVALID', suspect: 'app' } as const
const APP_BLOCKED = { kind: 'halt', code: 'META_APP_BLOCKED', suspect: 'app' } as const
const PROOF_REFUSED = { kind: 'halt', code: 'META_PROOF_REFUSED', suspect: 'token' } as const
const BUG = { kind: 'bug', code: 'PROVIDER_REJECTED_REQUEST' } as const
const REVOKED = { kind: 'dead', code: 'META_ACCESS_REVOKED' } as const
const ENDED = { kind: 'dead', code: 'META_SESSION_ENDED' } as const
const EXPIRED = { kind: 'dead', code: 'META_TOKEN_EXPIRED' } as const
const INACTIVE = { kind: 'dead', code: 'META_INACTIVE' } as const
const INVALID = { kind: 'dead', code: 'META_TOKEN_INVALID' } as const
const CODE_REFUSED = { kind: 'dead', code: 'LOGIN_CODE_REFUSED' } as const
const CHECKPOINT = { kind: 'needs_action', code: 'META_CHECKPOINT' } as const
const UNCONFIRMED = { kind: 'needs_action', code: 'META_UNCONFIRMED' } as const
const PERMISSION = { kind: 'needs_action', code: 'META_PERMISSION_MISSING' } as const
const PAGE_LOST = { kind: 'page_lost', code: 'META_PAGE_LOST' } as const
const UNKNOWN = { kind: 'retry', code: 'PROVIDER_UNKNOWN_ERROR', spent: 'no', parkAfter: 5 } as const
const LIMITED = { kind: 'snooze', code: 'PROVIDER_RATE_LIMITED', until: NOW + HOUR } as const
const IMPERSONATING =
  "Any of the pages_read_engagement permission(s) must be granted before impersonating a user's page."

/** Each row of the table, with what is near to it and means something else. */
describe('the table of errors', () => {
  test.each<[string, GraphCall, Told, PageVerdict]>([
    // outage
    ['a 5xx, whatever it says', 'exchange', { code: 190, subcode: 458, status: 500 }, UNAVAILABLE],
    ['is_transient', 'exchange', { code: 1, transient: true }, UNAVAILABLE],
    ['is_transient over what would be our bug', 'exchange', { code: 100, transient: true }, UNAVAILABLE],
    ['2', 'exchange', { code: 2 }, UNAVAILABLE],
    ['2 as a 503', 'exchange', { code: 2, status: 503 }, UNAVAILABLE],
    ['1/99', 'exchange', { code: 1, subcode: 99 }, UNAVAILABLE],
    ['99', 'exchange', { code: 99, status: 500 }, UNAVAILABLE],
    ['1 with a 5xx', 'exchange', { code: 1, status: 500 }, UNAVAILABLE],
    [
      'the secret is not called wrong by a 5xx',
      'exchange',
      { code: 1, message: 'Error validating client secret.', status: 500 },
      UNAVAILABLE,
    ],
    ['an error with a 200', 'exchange', { code: 2, status: 200 }, UNAVAILABLE],
    // limits
    ['4', 'exchange', { code: 4, status: 403 }, { ...LIMITED, scope: 'app' }],
    [
      '4 with is_transient, as Meta sends it',
      'exchange',
      { code: 4, status: 403, transient: true },
      { ...LIMITED, scope: 'app' },
    ],
    ['341', 'exchange', { code: 341 }, { ...LIMITED, scope: 'app' }],
    ['17', 'pages', { code: 17, transient: true }, { ...LIMITED, scope: 'user' }],
    ['613', 'pages', { code: 613 }, { ...LIMITED, scope: 'user' }],
    ['613/1996', 'pages', { code: 613, subcode: 1996 }, { ...LIMITED, code: 'META_UNUSUAL_CALLS', scope: 'user' }],
    ['9', 'exchange', { code: 9 }, { ...LIMITED, scope: 'user' }],
    ['32', 'page', { code: 32 }, { ...LIMITED, scope: 'asset' }],
    ...[80_000, 80_001, 80_002, 80_006, 80_014].map(
      (code) =>
        [`${code}`, 'page', { code }, { ...LIMITED, scope: 'asset' }] satisfies [string, GraphCall, Told, PageVerdict],
    ),
    ['80015 is none that is known', 'page', { code: 80_015 }, UNKNOWN],
    ['368', 'page', { code: 368 }, { kind: 'snooze', code: 'META_POLICY_BLOCK', until: NOW + 6 * HOUR, scope: 'user' }],
    // our app
    [
      '101',
      'exchange',
      { code: 101, message: 'Error validating application. Cannot get application info.' },
      APP_INVALID,
    ],
    ['101 with an id that is none', 'exchange', { code: 101, message: 'Invalid application ID' }, APP_INVALID],
    ['101 without an id', 'exchange', { code: 101, message: 'Missing client_id parameter' }, APP_INVALID],
    ['1, the secret is wrong', 'exchange', { code: 1, message: 'Error validating client secret.' }, SECRET_WRONG],
    [
      'the same of Instagram',
      'exchange',
      { code: 100, message: 'Error validating client secret', type: 'IGApiException' },
      SECRET_WRONG,
    ],
    [
      '190, the app is disabled',
      'pages',
      { code: 190, message: 'Error validating application. Application has been deleted.' },
      APP_INVALID,
    ],
    ['200, the app is blocked', 'exchange', { code: 200, message: 'API access blocked.' }, APP_BLOCKED],
    [
      '200, the app is blocked, at an Instagram refresh',
      'refresh',
      { code: 200, message: 'API access blocked.' },
      APP_BLOCKED,
    ],
    [
      'the proof is wrong',
      'pages',
      { code: 100, message: 'Invalid appsecret_proof provided in the API argument', type: 'GraphMethodException' },
      PROOF_REFUSED,
    ],
    [
      'the proof is missing',
      'pages',
      {
        code: 100,
        message: 'API calls from the server require an appsecret_proof argument',
        type: 'GraphMethodException',
      },
      PROOF_REFUSED,
    ],
    [
      'the time of the proof is missing',
      'pages',
      { code: 100, message: 'require an appsecret_proof and an appsecret_time argument' },
      PROOF_REFUSED,
    ],
    // our request
    ['1, a parameter is missing', 'exchange', { code: 1, message: 'fb_exchange_token parameter not specified' }, BUG],
    ['191', 'code', { code: 191, message: 'Missing redirect_uri parameter.' }, BUG],
    ['2500', 'profile', { code: 2500, message: 'An active access token must be used' }, BUG],
    ['100 otherwise', 'exchange', { code: 100, message: '(#100) Unsupported grant_type' }, BUG],
    ['100/33 of what is no Page', 'pages', { code: 100, subcode: 33, message: 'Unsupported get request.' }, BUG],
    ['1 that is not transient', 'page', { code: 1, subcode: 2_853_001, transient: false }, BUG],
    ['506', 'page', { code: 506 }, BUG],
    ['2635', 'pages', { code: 2635 }, { kind: 'bug', code: 'META_VERSION_EXPIRED' }],
    ['3', 'pages', { code: 3 }, { kind: 'bug', code: 'META_APP_INCAPABLE' }],
    // the token
    ['190/458', 'exchange', { code: 190, subcode: 458 }, REVOKED],
    ['102/458', 'exchange', { code: 102, subcode: 458 }, REVOKED],
    ['458 without a code', 'exchange', { subcode: 458 }, REVOKED],
    ['458 under another code says nothing', 'exchange', { code: 12, subcode: 458 }, UNKNOWN],
    ...[460, 461, 466, 468].map(
      (subcode) =>
        [`190/${subcode}`, 'exchange', { code: 190, subcode }, ENDED] satisfies [string, GraphCall, Told, PageVerdict],
    ),
    ['190/463', 'exchange', { code: 190, subcode: 463 }, EXPIRED],
    ['190/467', 'exchange', { code: 190, subcode: 467 }, INVALID],
    ['190/493', 'exchange', { code: 190, subcode: 493 }, INACTIVE],
    ['190/459', 'exchange', { code: 190, subcode: 459 }, CHECKPOINT],
    ['190/464', 'exchange', { code: 190, subcode: 464 }, UNCONFIRMED],
    ['102', 'exchange', { code: 102 }, INVALID],
    ['190 alone', 'exchange', { code: 190, message: 'Invalid OAuth access token.' }, INVALID],
    ['190, cannot parse', 'refresh', { code: 190, message: 'Cannot parse access token' }, INVALID],
    ['190, the signature', 'exchange', { code: 190, message: 'Invalid OAuth access token signature.' }, INVALID],
    ['190 with a subcode that is not known', 'exchange', { code: 190, subcode: 490 }, INVALID],
    [
      'on behalf, under 200 at a token endpoint',
      'exchange',
      { code: 200, message: '(#200) Cannot call API for app 1 on behalf of user 2' },
      INVALID,
    ],
    [
      'on behalf, under 1 at a token endpoint',
      'code',
      { code: 1, message: 'Cannot call API for app 1 on behalf of user 2' },
      INVALID,
    ],
    [
      'on behalf elsewhere',
      'pages',
      { code: 200, message: '(#200) Cannot call API for app 1 on behalf of user 2' },
      PERMISSION,
    ],
    // Pages
    ['190/492 of a Page', 'page', { code: 190, subcode: 492 }, PAGE_LOST],
    ['190/492 of a user', 'pages', { code: 190, subcode: 492 }, INVALID],
    ['impersonating a Page', 'page', { code: 190, message: IMPERSONATING }, PAGE_LOST],
    ['the same of a user', 'pages', { code: 190, message: IMPERSONATING }, INVALID],
    ['100/33 of a Page', 'page', { code: 100, subcode: 33, message: 'Unsupported get request.' }, PAGE_LOST],
    ['210 of a Page', 'page', { code: 210 }, PAGE_LOST],
    ['458 of a Page is the user', 'page', { code: 190, subcode: 458 }, REVOKED],
    ['a cursor that is over', 'pages', { code: 2642 }, UNAVAILABLE],
    // permissions
    ['10', 'pages', { code: 10, status: 403 }, PERMISSION],
    ['200', 'pages', { code: 200, status: 403, message: '(#200) Requires pages_show_list permission' }, PERMISSION],
    ['210 of what is no Page', 'pages', { code: 210, status: 403 }, PERMISSION],
    ['299', 'pages', { code: 299, status: 403 }, PERMISSION],
    ['300', 'pages', { code: 300, status: 403 }, UNKNOWN],
    ['100, permissions', 'pages', { code: 100, message: '(#100) Missing permissions' }, PERMISSION],
    // login codes
    [
      'a code that was used',
      'code',
      { code: 100, subcode: 36_009, message: 'This authorization code has been used.' },
      CODE_REFUSED,
    ],
    ['a code that has expired', 'code', { code: 100, message: 'This authorization code has expired.' }, CODE_REFUSED],
    [
      'a code of another address',
      'code',
      { code: 100, message: 'Error validating verification code. Please make sure your redirect_uri is identical' },
      CODE_REFUSED,
    ],
    ['the same words elsewhere', 'exchange', { code: 100, message: 'This authorization code has been used.' }, BUG],
    // the rest
    ['1 with a 400 and nothing else', 'exchange', { code: 1, message: 'An unknown error occurred' }, UNKNOWN],
    ['a code that no row knows', 'exchange', { code: 7777 }, UNKNOWN],
    ['a code that only begins like one', 'exchange', { code: 1900 }, UNKNOWN],
    ['no code', 'exchange', { message: 'hm' }, UNKNOWN],
  ])('%s (%s)', (_, call, told, verdict) => {
    expect(classified(call, graphError(told))).toEqual({ ...verdict, internal: expect.any(String) })
  })
})

describe('answers without an error of Meta', () => {
  const badAnswer = { kind: 'retry', code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' } as const
  test.each<[string, HttpResult, PageVerdict]>([
    [
      'nothing was sent',
      { kind: 'not_sent', code: 'PROVIDER_UNREACHABLE', internal: 'x' },
      { kind: 'retry', code: 'PROVIDER_UNREACHABLE', spent: 'no' },
    ],
    [
      'the address is refused',
      { kind: 'not_sent', code: 'ADDRESS_REFUSED', internal: 'x' },
      { kind: 'retry', code: 'ADDRESS_REFUSED', spent: 'no' },
    ],
    [
      'time-out',
      { kind: 'unknown', reason: 'timeout', internal: 'x' },
      { kind: 'retry', code: 'PROVIDER_TIMEOUT', spent: 'unknown' },
    ],
    ['reset', { kind: 'unknown', reason: 'reset', internal: 'x' }, { ...UNAVAILABLE, spent: 'unknown' }],
    ['endless', { kind: 'unknown', reason: 'too_large', internal: 'x' }, badAnswer],
    ['an HTML 500', answer(500, '<html>190</html>'), { ...UNAVAILABLE, spent: 'unknown' }],
    ['an empty 503', answer(503, ''), { ...UNAVAILABLE, spent: 'unknown' }],
    ['an HTML 400', answer(400, '<html>"code":190</html>'), badAnswer],
    ['an empty 400', answer(400, ''), badAnswer],
    ['a redirect', answer(302, ''), badAnswer],
    ['a 200 without a token', answer(200, '{}'), badAnswer],
    ['a list', answer(400, '[{"error":{"code":190}}]'), badAnswer],
    ['an error that is null', answer(200, '{"error":null}'), badAnswer],
    ['a bare 429', answer(429, ''), { ...LIMITED, scope: 'host' }],
    ['an error that is a text', answer(400, '{"error":"invalid_request"}'), UNKNOWN],
  ])('%s', (_, result, verdict) => {
    expect(classified('exchange', result)).toEqual({ ...verdict, internal: expect.any(String) })
  })
})

describe('shapes of errors', () => {
  test.each<[string, GraphCall, unknown, PageVerdict]>([
    [
      "Instagram's OAuth",
      'code',
      { error_type: 'OAuthException', code: 400, error_message: 'Matching code was not found or was already used' },
      CODE_REFUSED,
    ],
    [
      "Instagram's OAuth, the secret",
      'code',
      { error_type: 'OAuthException', code: 400, error_message: 'Error validating client secret.' },
      SECRET_WRONG,
    ],
    [
      "Instagram's OAuth, the app",
      'code',
      { error_type: 'OAuthException', code: 400, error_message: 'Invalid platform app' },
      APP_INVALID,
    ],
    ['Threads', 'code', { error_message: 'An unknown error has occurred.', error_code: 1 }, UNKNOWN],
    ['flat', 'exchange', { error_code: 190, error_msg: 'Invalid OAuth access token.', error_reason: 'x' }, INVALID],
    ['numbers as texts', 'exchange', { error: { code: '190', error_subcode: '458' } }, REVOKED],
    [
      'error_data as a text of JSON',
      'exchange',
      { error: { code: 190, error_subcode: 460, error_data: '{"code":4}' } },
      ENDED,
    ],
    [
      'error_data as an object',
      'exchange',
      { error: { code: 190, error_subcode: 460, error_data: { is_transient: true } } },
      ENDED,
    ],
    [
      'fields of other types',
      'exchange',
      { error: { code: 190, error_subcode: 460, message: 7, type: {}, is_transient: 'no' } },
      ENDED,
    ],
  ])('%s', (_, call, body, verdict) => {
    expect(classified(call, answer(400, JSON.stringify(body)))).toMatchObject(verdict)
  })

  test('what debug_token tells of a token stands for the answer', () => {
    const error = { code: 190, subcode: 492, type: null, message: '', transient: null }
    const options = { now: NOW, secrets: [], error }
    expect(classify('page', answer(200, '{"data":{}}'), options)).toMatchObject(PAGE_LOST)
  })

  test.each([190, 102])('that debug_token itself is refused with %i is about our secret, not the token', (code) => {
    const message = 'Invalid OAuth access token signature.'
    const refused = answer(400, JSON.stringify({ error: { code, message } }))
    expect(classified('inspect', refused)).toMatchObject(SECRET_WRONG)
    const error = { code, subcode: null, type: null, message, transient: null }
    const options = { now: NOW, secrets: [], error }
    expect(classify('inspect', answer(200, '{"data":{}}'), options)).toMatchObject(INVALID)
  })
})

describe('how long a limit lasts', () => {
  const business = (...minutes: number[]) => ({
    'x-business-use-case-usage': JSON.stringify(
      Object.fromEntries(
        minutes.map((wait, page) => [`page-${page}`, [{ type: 'pages', estimated_time_to_regain_access: wait }]]),
      ),
    ),
  })
  test.each<[string, number, Record<string, string>, number]>([
    ['an asset, as long as Meta says', 32, business(19), 19 * MINUTE],
    ['the longest of several', 80_001, business(3, 0, 41), 41 * MINUTE],
    ['an asset without a word', 80_002, {}, HOUR],
    ['an asset that is not throttled', 80_002, business(0), HOUR],
    ['a user, as long as Meta says', 17, business(7), 7 * MINUTE],
    ['Retry-After first', 32, { ...business(19), 'retry-after': '90' }, 90 * SECOND],
    ['Retry-After of an app', 4, { 'retry-after': '90' }, 90 * SECOND],
    ["an app waits for no Page's time", 4, business(19), HOUR],
    ['a day at most', 4, { 'retry-after': '864000' }, DAY],
    ['a second at least', 4, { 'retry-after': '-5' }, SECOND],
    ['what cannot be read', 32, { 'x-business-use-case-usage': '{', 'retry-after': 'soon' }, HOUR],
  ])('%s', (_, code, headers, wait) => {
    expect(classified('page', answer(400, JSON.stringify({ error: { code } }), headers))).toMatchObject({
      until: NOW + wait,
    })
  })
})

describe('internal words', () => {
  test.each<[string, HttpResult]>([
    ['the token', graphError({ code: 190, message: `Malformed access token ${TOKEN}` })],
    ['a part of it', graphError({ code: 190, message: `Malformed access token ${TOKEN.slice(0, 24)}...` })],
    ['a token that was not sent', graphError({ code: 190, message: `Malformed access token EAA${'x7Zq'.repeat(30)}` })],
    ['the secret', graphError({ code: 1, message: `bad secret ${SECRET} given` })],
    ['an app token', graphError({ code: 190, message: `Invalid token 12345|${SECRET}` })],
    [
      'an address for more',
      graphError({ code: 1, message: `https://graph.example/me/accounts?access_token=${TOKEN}&limit=25` }),
    ],
    ['the type', graphError({ code: 190, type: TOKEN })],
    ['the content type', answer(400, '', { 'content-type': TOKEN })],
    ['words of the client', { kind: 'unknown', reason: 'reset', internal: `GET /?access_token=${TOKEN}` }],
  ])('%s is cut out', (_, result) => {
    const { internal } = classify('exchange', result, { now: NOW, secrets: [TOKEN, SECRET] })
    expect(internal).toContain('[token]')
    expect(internal).not.toMatch(/EAA\w|0123456789abcdef/)
  })

  test('what is left says what happened', () => {
    const { internal } = classified(
      'exchange',
      graphError({ code: 190, subcode: 460, message: 'The session has been invalidated' }),
    )
    expect(internal).toBe('exchange: 400 OAuthException 190/460: The session has been invalidated')
  })
})

function classified(call: GraphCall, result: HttpResult): PageVerdict {
  return classify(call, result, { now: NOW, secrets: [TOKEN, SECRET] })
}

function graphError({
  code,
  subcode,
  message = '',
  type = 'OAuthException',
  transient,
  status = 400,
}: Told): HttpResult {
  const error = { message, type, code, error_subcode: subcode, is_transient: transient, fbtrace_id: 'AbcdefGhijk' }
  return answer(status, JSON.stringify({ error }))
}

function answer(status: number, body: string, headers: Record<string, string> = {}): HttpResult {
  return { kind: 'answer', status, headers: { 'content-type': 'application/json', ...headers }, body }
}
