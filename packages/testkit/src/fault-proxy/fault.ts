import type { OutgoingHttpHeaders } from 'node:http'

export interface ProxiedRequest {
  /** When it arrived, ms since the epoch by the real clock. */
  readonly at: number
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Digest of the bearer token, as core's tokenDigest makes it. */
  readonly tokenDigest: string | undefined
  /** What the client was told; undefined while, or if, it was told nothing. */
  readonly status: number | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer | string
}

/**
 * What goes wrong. "Processed" kinds let the PDS do its work first; the others never reach it.
 * - drop_request: the connection is cut, not processed.
 * - drop_answer: processed, then the connection is cut without an answer.
 * - delay: processed, answered `ms` late.
 * - hold: processed, answered on release().
 * - hold_request: forwarded on release().
 * - status: this answer, not processed. Default body: a gateway's HTML page.
 * - html_401: the page of a web application firewall, not processed.
 * - rate_limited: 429 RateLimitExceeded, not processed; `retryAfterS` in seconds, `resetS` in seconds since the epoch.
 * - truncate: processed, answered 200 with the first half of the body; `cut` announces the whole and cuts the connection.
 * - endless: 200 whose body never ends, not processed.
 * - redirect: 302 `to` another URL, not processed.
 * - rewrite: processed, answered with what the function makes of the PDS's answer.
 */
export type Fault =
  | { readonly kind: 'drop_request' | 'drop_answer' | 'hold' | 'hold_request' | 'html_401' | 'endless' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: OutgoingHttpHeaders; readonly body?: string }
  | { readonly kind: 'rate_limited'; readonly retryAfterS?: number; readonly resetS?: number }
  | { readonly kind: 'truncate'; readonly cut?: boolean }
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'rewrite'; readonly rewrite: (answer: Answer) => Answer }

export type FaultRule = Fault & {
  /** Default: every request. */
  readonly match?: (request: ProxiedRequest) => boolean
  /** How many requests it hits; default: all. */
  readonly times?: number
}

export interface FaultHandle {
  /**
   * Resolves at the first hit: of drop_answer and hold once the PDS has answered, of hold_request once the request has
   * arrived, of the others once the fault was done.
   */
  readonly reached: Promise<void>
  /** How many requests it has hit. */
  readonly hits: number
  /** Ends the fault and lets everything go that it holds. */
  release(): void
}

/** The answers that a fault gives in the PDS's place. */
export function cannedAnswer(fault: Fault): Answer | undefined {
  switch (fault.kind) {
    case 'status':
      return {
        status: fault.status,
        headers: { 'content-type': 'text/html', ...fault.headers },
        body: fault.body ?? page(fault.status),
      }
    case 'html_401':
      return { status: 401, headers: { 'content-type': 'text/html' }, body: page(401) }
    case 'redirect':
      return { status: 302, headers: { location: fault.to }, body: '' }
    case 'rate_limited':
      return {
        status: 429,
        headers: {
          'content-type': 'application/json',
          ...(fault.retryAfterS === undefined ? {} : { 'retry-after': `${fault.retryAfterS}` }),
          ...(fault.resetS === undefined ? {} : { 'ratelimit-reset': `${fault.resetS}` }),
        },
        body: JSON.stringify({ error: 'RateLimitExceeded', message: 'Rate Limit Exceeded' }),
      }
    default:
      return undefined
  }
}

function page(status: number): string {
  return `<html><head><title>${status}</title></head><body><h1>${status}</h1></body></html>`
}
