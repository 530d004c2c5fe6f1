import { DAY, HOUR, type PageVerdict, type RetryVerdict, SECOND, type Verdict } from '@tokenkeeper/core'
import { cutSecrets } from '../cut-secrets.ts'
import type { HttpResult } from '../http/http.ts'
import { NO_ANSWER_ROWS } from '../http/no-answer.ts'
import { type GraphError, readGraphError } from './graph-error.ts'
import { parseGraphJson } from './json.ts'
import { readUsage } from './usage.ts'

/**
 * Which call was made: a login code or a token exchanged for a token, a token refreshed, the app's own token fetched, a
 * token inspected, the user read, the Pages listed, one Page read with its own token, permissions revoked.
 */
export type GraphCall = 'code' | 'exchange' | 'refresh' | 'app' | 'inspect' | 'profile' | 'pages' | 'page' | 'revoke'

/** What a row looks at. `error` is what Meta told, with whatever status. */
interface Reply {
  readonly call: GraphCall
  readonly result: HttpResult
  readonly status: number | null
  readonly error: GraphError | null
  /** The error is what a 200 tells of the inspected token; the call itself was not refused. */
  readonly ofInspected: boolean
}

interface Row {
  readonly when: (reply: Reply) => boolean
  readonly verdict: PageVerdict | ((reply: Reply, now: number) => PageVerdict)
}

/** Answers that no row knows are tried this often before a person is asked. */
const UNKNOWN_TRIES = 5
const POLICY_BLOCK_MS = 6 * HOUR

const unavailable: RetryVerdict = { kind: 'retry', code: 'PROVIDER_UNAVAILABLE', spent: 'no' }
const secretWrong: Verdict = { kind: 'halt', code: 'META_APP_SECRET_WRONG', suspect: 'app' }
const appInvalid: Verdict = { kind: 'halt', code: 'META_APP_INVALID', suspect: 'app' }
const ourBug: Verdict = { kind: 'bug', code: 'PROVIDER_REJECTED_REQUEST' }
const tokenInvalid: Verdict = { kind: 'dead', code: 'META_TOKEN_INVALID' }
const sessionEnded: Verdict = { kind: 'dead', code: 'META_SESSION_ENDED' }
const codeRefused: Verdict = { kind: 'dead', code: 'LOGIN_CODE_REFUSED' }
const pageLost: PageVerdict = { kind: 'page_lost', code: 'META_PAGE_LOST' }
const permissionMissing: Verdict = { kind: 'needs_action', code: 'META_PERMISSION_MISSING' }

/**
 * What each failed answer means; the first row that matches wins. A code alone says little: our app's own failures come
 * under 1, 100, 101, 190 and 200 too, and must not be taken for a user's. Codes and subcodes:
 * https://developers.facebook.com/docs/graph-api/guides/error-handling; messages as clients have reported them.
 */
const TABLE: readonly Row[] = [
  // --- Outages: nothing is known of the token. ---
  ...NO_ANSWER_ROWS,
  {
    when: ({ status }) => status !== null && status >= 500,
    // An error in Meta's own form says that no token was given.
    verdict: ({ error }) => ({ ...unavailable, spent: error === null ? 'unknown' : 'no' }),
  },
  // Meta has its own codes for limits; a bare 429 comes from something before it.
  { when: ({ status, error }) => status === 429 && error === null, verdict: limit('host', ({ retryAt }) => retryAt) },
  {
    when: ({ error }) => error === null,
    verdict: { kind: 'retry', code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' },
  },

  // --- Limits. Before is_transient, which Meta sets on them too (facebook-nodejs-business-sdk#97): each further call
  // lengthens the pause. ---
  { when: code(4, 341), verdict: limit('app', ({ retryAt }) => retryAt) },
  { when: both(code(613), subcode(1996)), verdict: limit('user', regain, 'META_UNUSUAL_CALLS') },
  { when: code(17, 613, 9), verdict: limit('user', regain) },
  { when: (reply) => code(32)(reply) || isBusinessLimit(reply), verdict: limit('asset', regain) },
  {
    when: code(368),
    verdict: (_, now) => ({ kind: 'snooze', code: 'META_POLICY_BLOCK', until: now + POLICY_BLOCK_MS, scope: 'user' }),
  },
  { when: ({ error }) => error?.transient === true, verdict: unavailable },
  { when: code(2, 99), verdict: unavailable },
  { when: both(code(1), subcode(99)), verdict: unavailable },
  // A cursor that has become invalid: a new listing begins without one.
  { when: both(on('pages'), code(2642)), verdict: unavailable },

  // --- Our app: stops the platform, touches no account. ---
  { when: code(101), verdict: appInvalid },
  // Instagram's word for the same, without a code.
  { when: both(code(null), says('invalid platform app')), verdict: appInvalid },
  { when: both(code(1, 100, null), says('error validating client secret')), verdict: secretWrong },
  { when: both(code(190), subcode(null), says('error validating application')), verdict: appInvalid },
  // A token is inspected with our app's own, made of its secret; the inspected one's faults are told inside.
  { when: both(on('inspect'), code(190, 102), ({ ofInspected }) => !ofInspected), verdict: secretWrong },
  {
    when: both(code(200), says('api access blocked')),
    verdict: { kind: 'halt', code: 'META_APP_BLOCKED', suspect: 'app' },
  },
  {
    when: both(code(100), says('invalid appsecret_proof', 'appsecret_proof argument', 'appsecret_time argument')),
    verdict: { kind: 'halt', code: 'META_PROOF_REFUSED', suspect: 'token' },
  },
  { when: code(2635), verdict: { kind: 'bug', code: 'META_VERSION_EXPIRED' } },
  { when: code(3), verdict: { kind: 'bug', code: 'META_APP_INCAPABLE' } },

  // --- A login code: single use, and any refusal is final. ---
  {
    when: both(on('code'), code(100, null), says('authorization code', 'verification code', 'matching code')),
    verdict: codeRefused,
  },
  { when: both(on('code'), subcode(36009)), verdict: codeRefused },

  // --- A Page that its user has lost; the user's own token is unharmed. ---
  { when: both(on('page'), session(492)), verdict: pageLost },
  { when: both(on('page'), code(190), says("before impersonating a user's page")), verdict: pageLost },
  { when: both(on('page'), code(100), subcode(33)), verdict: pageLost },
  { when: both(on('page'), code(210)), verdict: pageLost },

  // --- The user's token. Subcodes come under 190, 102 or no code at all. ---
  { when: session(458), verdict: { kind: 'dead', code: 'META_ACCESS_REVOKED' } },
  { when: session(460, 461, 466, 468), verdict: sessionEnded },
  { when: session(463), verdict: { kind: 'dead', code: 'META_TOKEN_EXPIRED' } },
  { when: session(467), verdict: tokenInvalid },
  { when: session(493), verdict: { kind: 'dead', code: 'META_INACTIVE' } },
  { when: session(459), verdict: { kind: 'needs_action', code: 'META_CHECKPOINT' } },
  { when: session(464), verdict: { kind: 'needs_action', code: 'META_UNCONFIRMED' } },
  // Reported for a revoked user, an expired token and an app in development alike. As any dead code it needs a witness.
  {
    when: both(on('code', 'exchange', 'refresh'), says('cannot call api for app')),
    verdict: tokenInvalid,
  },
  { when: ({ error }) => inRange(error?.code, 200, 299), verdict: permissionMissing },
  { when: code(10), verdict: permissionMissing },
  { when: both(code(100), says('missing permission')), verdict: permissionMissing },
  // The token is not accepted, or we have damaged it: the witness tells.
  { when: code(102, 190), verdict: tokenInvalid },

  // --- Our request. ---
  { when: both(code(1), says('parameter')), verdict: ourBug },
  // An outage says is_transient, or nothing.
  { when: both(code(1), ({ error }) => error?.transient === false), verdict: ourBug },
  { when: code(100, 104, 191, 506, 2500), verdict: ourBug },

  {
    when: () => true,
    verdict: { kind: 'retry', code: 'PROVIDER_UNKNOWN_ERROR', spent: 'no', parkAfter: UNKNOWN_TRIES },
  },
]

export interface ClassifyOptions {
  /** ms since the epoch. */
  readonly now: number
  /** Cut out of the internal words, in which Meta repeats tokens. */
  readonly secrets: readonly string[]
  /** Instead of the answer's own: the error that debug_token tells of the inspected token. */
  readonly error?: GraphError
}

/** The verdict on a call that did not yield what was asked for. */
export function classify(call: Exclude<GraphCall, 'page'>, result: HttpResult, options: ClassifyOptions): Verdict
export function classify(call: GraphCall, result: HttpResult, options: ClassifyOptions): PageVerdict
export function classify(call: GraphCall, result: HttpResult, options: ClassifyOptions): PageVerdict {
  const answer = result.kind === 'answer' ? result : null
  const error = options.error ?? (answer && readGraphError(parseGraphJson(answer.body)))
  const ofInspected = options.error !== undefined
  const reply: Reply = { call, result, status: answer?.status ?? null, error, ofInspected }
  const { verdict } = TABLE.find((row) => row.when(reply))!
  const internal = cutSecrets(describe(reply), options.secrets)
  return { ...(typeof verdict === 'function' ? verdict(reply, options.now) : verdict), internal }
}

type When = Row['when']

function both(...all: readonly When[]): When {
  return (reply) => all.every((when) => when(reply))
}

function on(...calls: readonly GraphCall[]): When {
  return ({ call }) => calls.includes(call)
}

function code(...codes: readonly (number | null)[]): When {
  return ({ error }) => error !== null && codes.includes(error.code)
}

function subcode(...subcodes: readonly (number | null)[]): When {
  return ({ error }) => error !== null && subcodes.includes(error.subcode)
}

/** A subcode of a session, which means the same under 190, under 102 and without a code. */
function session(...subcodes: readonly number[]): When {
  return both(code(190, 102, null), subcode(...subcodes))
}

/** Only in the message as parsed, never anywhere in the body. */
function says(...parts: readonly string[]): When {
  return ({ error }) => parts.some((part) => error?.message.toLowerCase().includes(part))
}

function isBusinessLimit({ error }: Reply): boolean {
  return inRange(error?.code, 80_000, 80_014)
}

function inRange(value: number | null | undefined, from: number, to: number): boolean {
  return typeof value === 'number' && value >= from && value <= to
}

/** Until Meta says, else an hour: its windows are rolling hours, and it does not tell when one has room again. */
function limit(
  scope: 'app' | 'host' | 'user' | 'asset',
  until: (usage: ReturnType<typeof readUsage>, now: number) => number | null,
  codeOf: 'PROVIDER_RATE_LIMITED' | 'META_UNUSUAL_CALLS' = 'PROVIDER_RATE_LIMITED',
): Row['verdict'] {
  return ({ result }, now) => {
    const usage = readUsage(result.kind === 'answer' ? result.headers : {}, now)
    const at = until(usage, now) ?? now + HOUR
    return { kind: 'snooze', code: codeOf, until: Math.min(Math.max(at, now + SECOND), now + DAY), scope }
  }
}

/** The longest of the pauses that are told of. */
function regain({ retryAt, assets }: ReturnType<typeof readUsage>, now: number): number | null {
  const longest = Math.max(0, ...assets.map(({ regainMs }) => regainMs))
  return retryAt ?? (longest > 0 ? now + longest : null)
}

function describe({ call, result, error }: Reply): string {
  if (result.kind !== 'answer') return `${call}: ${result.internal}`
  if (error === null) {
    const type = result.headers['content-type'] ?? 'no content type'
    return `${call}: ${result.status} without what was asked for (${type}, ${result.body.length} characters)`
  }
  const number = [error.code, error.subcode].filter((part) => part !== null).join('/')
  return `${call}: ${result.status} ${error.type ?? 'error'} ${number}: ${error.message}`
}
