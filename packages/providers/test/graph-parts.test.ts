import { DAY, HOUR, MINUTE } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { parseGraphJson } from '../src/graph/json.ts'
import { loginError, readCode } from '../src/graph/login.ts'
import { endOf, keptToken, tokenAnswer } from '../src/graph/token-answer.ts'
import { readUsage } from '../src/graph/usage.ts'

const NOW = Date.UTC(2026, 10, 22, 12)

describe('JSON', () => {
  test.each([
    ['an id beyond what a number holds', '{"user_id":17841405793187218}', { user_id: '17841405793187218' }],
    ['an id that a number holds', '{"user_id":9007199254740991}', { user_id: 9_007_199_254_740_991 }],
    ['other numbers', '[1.5,-3,1e3,"17841405793187218"]', [1.5, -3, 1000, '17841405793187218']],
    ['no JSON', '<html>', undefined],
    ['nothing', '', undefined],
  ])('%s', (_, text, value) => expect(parseGraphJson(text)).toEqual(value))
})

describe('the end of a token', () => {
  test.each([
    ['seconds', { expires_in: 5_183_944 }, NOW + 5_183_944_000],
    ['seconds as a text', { expires_in: '60' }, NOW + 60_000],
    ['not told', {}, null],
    ['null', { expires_in: null }, null],
    ['none', { expires_in: 0 }, null],
    ['nonsense', { expires_in: 'never' }, null],
  ])('%s', (_, more, end) => {
    expect(endOf(tokenAnswer.parse({ access_token: 'a', token_type: 'bearer', ...more }), NOW)).toBe(end)
  })

  test.each([
    ['later', NOW, NOW + 60 * DAY, 'extended'],
    ['the same', NOW, NOW, 'same_expiry'],
    ['the same, seen a moment later', NOW, NOW + MINUTE, 'same_expiry'],
    ['sooner', NOW, NOW - DAY, 'same_expiry'],
    ['not known before', null, NOW, 'unknown'],
    ['not known now', NOW, null, 'unknown'],
  ])('%s', (_, before, after, extension) => {
    expect(keptToken('a', after, before)).toEqual({
      kind: 'refreshed',
      credential: { accessToken: 'a', refreshToken: '' },
      accessExpiresAt: after,
      diesAt: after,
      note: null,
      extension,
    })
  })

  test.each(['', 'a b', 'a\n', 7, undefined])('a token that no header can carry is none: %j', (token) => {
    expect(tokenAnswer.safeParse({ access_token: token }).success).toBe(false)
  })
})

describe('usage', () => {
  test('all headers', () => {
    const usage = readUsage(
      {
        'x-app-usage': '{"call_count":28,"total_time":25,"total_cputime":26}',
        'x-business-use-case-usage': JSON.stringify({
          '112130216863063': [
            { type: 'pages', call_count: 95, total_cputime: 20, total_time: 21, estimated_time_to_regain_access: 19 },
            { type: 'instagram', call_count: 1, total_cputime: 1, total_time: 1, estimated_time_to_regain_access: 0 },
          ],
        }),
        'x-ad-account-usage':
          '{"acc_id_util_pct":9.67,"reset_time_duration":100,"ads_api_access_tier":"standard_access"}',
        'retry-after': '30',
      },
      NOW,
    )
    expect(usage).toEqual({
      app: { calls: 28, time: 25, cpuTime: 26 },
      assets: [
        { assetId: '112130216863063', type: 'pages', calls: 95, time: 21, cpuTime: 20, regainMs: 19 * MINUTE },
        { assetId: '112130216863063', type: 'instagram', calls: 1, time: 1, cpuTime: 1, regainMs: 0 },
      ],
      adAccount: { percent: 9.67, resetMs: 100_000 },
      retryAt: NOW + 30_000,
    })
  })

  test.each([
    ['none', {}],
    ['no JSON', { 'x-app-usage': 'x', 'x-business-use-case-usage': '', 'x-ad-account-usage': '{' }],
    [
      'other JSON',
      { 'x-app-usage': '[]', 'x-business-use-case-usage': '{"a":1}', 'x-ad-account-usage': '{"acc_id_util_pct":"9"}' },
    ],
  ])('%s', (_, headers) => {
    expect(readUsage(headers, NOW)).toEqual({ app: null, assets: [], adAccount: null, retryAt: null })
  })

  test('a share that is not told counts as none', () => {
    expect(readUsage({ 'x-app-usage': '{"call_count":7}' }, NOW).app).toEqual({ calls: 7, time: 0, cpuTime: 0 })
  })

  test('a date to come back at', () => {
    const at = NOW + HOUR
    expect(readUsage({ 'retry-after': new Date(at).toUTCString() }, NOW).retryAt).toBe(at)
  })
})

describe('login', () => {
  test.each([
    ['AQB_x-1', 'AQB_x-1'],
    ['AQB_x-1#_', 'AQB_x-1'],
    [' AQB_x-1#_=_\n', 'AQB_x-1'],
    ['AQB#_1', 'AQB#_1'],
  ])('the code in %j', (code, clean) => expect(readCode(code)).toBe(clean))

  test.each([
    [{ kind: 'dead', code: 'LOGIN_CODE_REFUSED', internal: 'x' } as const, 'LOGIN_CODE_REFUSED'],
    [{ kind: 'halt', code: 'META_APP_SECRET_WRONG', suspect: 'app' } as const, 'META_APP_SECRET_WRONG'],
    [{ kind: 'retry', code: 'PROVIDER_TIMEOUT', spent: 'unknown' } as const, 'LOGIN_FAILED'],
    [{ kind: 'dead', code: 'META_TOKEN_INVALID' } as const, 'LOGIN_FAILED'],
  ])('what %j tells', (verdict, code) => {
    const error = loginError(verdict)
    expect(error).toMatchObject({ code, internal: 'internal' in verdict ? 'x' : undefined })
    expect(error.message).not.toContain('app password')
  })
})
