import { HOUR, SECOND, type Verdict } from '@tokenkeeper/core'
import { z } from 'zod'
import { cutSecrets } from '../cut-secrets.ts'
import type { HttpResult } from '../http/http.ts'
import { NO_ANSWER_ROWS } from '../http/no-answer.ts'
import { readRetryAfter, readSeconds } from '../http/retry-after.ts'

/** Which call was made: refreshSession with a token, or createSession with a password. */
type Call = 'refresh' | 'login'

/** What a row looks at. `error` and `message` come from an XRPC error body, and only with the statuses that carry one. */
interface Reply {
  readonly call: Call
  readonly result: HttpResult
  readonly status: number | null
  readonly error: string | null
  readonly message: string
}

interface Row {
  readonly when: (reply: Reply) => boolean
  readonly verdict: Verdict | ((reply: Reply, now: number) => Verdict)
}

/**
 * What each failed answer means; the first row that matches wins. Measured against @atproto/pds 0.5.35, whose lexicon
 * names the errors (com.atproto.server.refreshSession and createSession). An error name is believed only in an XRPC
 * body: proxies and firewalls before a PDS answer 401 and 403 on their own account.
 */
const TABLE: readonly Row[] = [
  ...NO_ANSWER_ROWS,
  // A 429 comes before the rotation: the token is intact.
  {
    when: ({ status }) => status === 429,
    verdict: (reply, now) => ({
      kind: 'snooze',
      code: 'PROVIDER_RATE_LIMITED',
      until: waitUntil(reply, now),
      scope: 'host',
    }),
  },
  {
    when: ({ status }) => status !== null && status >= 500,
    verdict: { kind: 'retry', code: 'PROVIDER_UNAVAILABLE', spent: 'unknown' },
  },
  // Past its end, rotated out and out of its grace, deleted, password changed.
  { when: named('ExpiredToken'), verdict: { kind: 'dead', code: 'BLUESKY_SESSION_EXPIRED' } },
  // Issued by another host, or the host's key changed.
  { when: named('InvalidToken'), verdict: { kind: 'dead', code: 'BLUESKY_TOKEN_REFUSED' } },
  { when: named('AccountTakedown'), verdict: { kind: 'needs_action', code: 'BLUESKY_TAKEN_DOWN' } },
  { when: named('AuthMissing'), verdict: { kind: 'bug', code: 'PROVIDER_REJECTED_REQUEST' } },
  {
    when: (reply) => named('InvalidRequest')(reply) && reply.message.startsWith('Could not find user info'),
    verdict: { kind: 'dead', code: 'BLUESKY_ACCOUNT_GONE' },
  },
  { when: named('InvalidRequest'), verdict: { kind: 'bug', code: 'PROVIDER_REJECTED_REQUEST' } },
  // The password was revoked, or the account is down: the host says the same. Or it is no app password (e-mail code).
  {
    when: (reply) => reply.call === 'login' && named('AuthenticationRequired', 'AuthFactorTokenRequired')(reply),
    verdict: { kind: 'dead', code: 'BLUESKY_SESSION_EXPIRED' },
  },
  // A firewall's 401 or 403, a redirect, HTML, an endless or broken answer, an error that no row knows.
  { when: () => true, verdict: { kind: 'retry', code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' } },
]

/** The verdict on a call that did not yield a session. `now` in ms; `secrets` are cut out of the internal words. */
export function classify(call: Call, result: HttpResult, now: number, secrets: readonly string[]): Verdict {
  const reply = readReply(call, result)
  const { verdict } = TABLE.find((row) => row.when(reply))!
  const internal = cutSecrets(describe(reply), secrets)
  return { ...(typeof verdict === 'function' ? verdict(reply, now) : verdict), internal }
}

function named(...errors: readonly string[]) {
  return ({ error }: Reply) => error !== null && errors.includes(error)
}

const xrpcError = z.object({ error: z.string(), message: z.string().optional() })

function readReply(call: Call, result: HttpResult): Reply {
  const status = result.kind === 'answer' ? result.status : null
  const body = result.kind === 'answer' && [400, 401, 403].includes(result.status) ? readXrpcError(result.body) : null
  return { call, result, status, error: body?.error ?? null, message: body?.message ?? '' }
}

function readXrpcError(body: string): z.infer<typeof xrpcError> | null {
  try {
    return xrpcError.parse(JSON.parse(body))
  } catch {
    return null
  }
}

function describe({ call, result, error, message }: Reply): string {
  if (result.kind !== 'answer') return `${call}: ${result.internal}`
  const told =
    error === null
      ? `no XRPC error (${result.headers['content-type'] ?? 'no content type'}, ${result.body.length} characters)`
      : `${error}: ${message}`
  return `${call}: ${result.status} ${told}`
}

/** Ms since the epoch, 1 s to 1 h from now: `retry-after` (seconds or a date), else `ratelimit-reset` (epoch seconds). */
function waitUntil({ result }: Reply, now: number): number {
  const headers = result.kind === 'answer' ? result.headers : {}
  const until =
    readRetryAfter(headers['retry-after'], now) ?? readSeconds(headers['ratelimit-reset']) ?? now + 60 * SECOND
  return Math.min(Math.max(until, now + SECOND), now + HOUR)
}
