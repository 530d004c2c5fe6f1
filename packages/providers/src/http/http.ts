import { CodedError, SECOND } from '@tokenkeeper/core'
import { Agent, errors, request } from 'undici'
import { type AddressGuard, createAddressGuard } from './address-guard.ts'
import { ConnectFailedError, createConnector } from './connector.ts'

interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** For the whole request, in ms; the client's own limit where it is shorter. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * What became of a request.
 * `not_sent`: surely nothing reached the other side (address refused, no such name, no connection, no TLS).
 * `unknown`: it may have been processed; the answer was lost or cannot be used.
 */
export type HttpResult =
  | HttpAnswer
  | {
      readonly kind: 'not_sent'
      readonly code: 'ADDRESS_INVALID' | 'ADDRESS_REFUSED' | 'PROVIDER_UNREACHABLE'
      readonly internal: string
    }
  | {
      readonly kind: 'unknown'
      readonly reason: 'timeout' | 'reset' | 'too_large' | 'malformed'
      readonly internal: string
    }

/** Any status, redirects too: they are never followed. */
export interface HttpAnswer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Http extends AsyncDisposable {
  /** One request, never repeated. Never rejects. */
  request(request: HttpRequest): Promise<HttpResult>
  /** See {@link AddressGuard.assertAllowedUrl}; every request checks by itself too. */
  readonly assertAllowedUrl: AddressGuard['assertAllowedUrl']
}

export interface HttpOptions {
  /** ALLOWED_PRIVATE_HOSTS: `host` or `host:port`, which may be private and plain http. */
  readonly allowedPrivateHosts: readonly string[]
  /** For a whole request, in ms. */
  readonly timeoutMs?: number
  readonly connectTimeoutMs?: number
  /** Of an answer's body; a longer one ends the connection. */
  readonly maxBytes?: number
}

/** The client that all providers share. Disposing it ends the connections, with requests in flight. */
export function createHttp(options: HttpOptions): Http {
  const { timeoutMs = 150 * SECOND, connectTimeoutMs = 10 * SECOND, maxBytes = 256 * 1024 } = options
  const guard = createAddressGuard(options.allowedPrivateHosts)
  const agent = new Agent({
    connect: createConnector(guard, connectTimeoutMs),
    maxResponseSize: maxBytes,
    // The limit of the whole request covers both; it also ends an answer that drips.
    headersTimeout: 0,
    bodyTimeout: 0,
  })

  async function send(wanted: HttpRequest): Promise<HttpResult> {
    // Not AbortSignal.timeout: its signals would pile up for minutes after their requests ended.
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), Math.min(wanted.timeoutMs ?? timeoutMs, timeoutMs))
    try {
      const { statusCode, headers, body } = await request(guard.assertAllowedUrl(wanted.url), {
        dispatcher: agent,
        method: wanted.method,
        headers: { 'user-agent': 'tokenkeeper', ...wanted.headers },
        body: wanted.body ?? null,
        signal: wanted.signal ? AbortSignal.any([limit.signal, wanted.signal]) : limit.signal,
      })
      return { kind: 'answer', status: statusCode, headers: flatten(headers), body: await body.text() }
    } catch (error) {
      return failure(error, limit.signal.aborted)
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    request: send,
    assertAllowedUrl: guard.assertAllowedUrl,
    [Symbol.asyncDispose]: () => agent.destroy(),
  }
}

function failure(error: unknown, timedOut: boolean): HttpResult {
  const internal = describe(error)
  const root = error instanceof ConnectFailedError ? error.cause : error
  if (root instanceof CodedError) {
    const code = root.code === 'ADDRESS_INVALID' ? 'ADDRESS_INVALID' : 'ADDRESS_REFUSED'
    return { kind: 'not_sent', code, internal }
  }
  if (error instanceof ConnectFailedError || error instanceof errors.InvalidArgumentError) {
    return { kind: 'not_sent', code: 'PROVIDER_UNREACHABLE', internal }
  }
  if (timedOut) return { kind: 'unknown', reason: 'timeout', internal }
  if (error instanceof errors.ResponseExceededMaxSizeError || error instanceof errors.HeadersOverflowError) {
    return { kind: 'unknown', reason: 'too_large', internal }
  }
  return { kind: 'unknown', reason: error instanceof errors.HTTPParserError ? 'malformed' : 'reset', internal }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = `${error.name}: ${error.message}`
  if (error instanceof CodedError) return error.internal ?? own
  return error.cause === undefined ? own : `${own} (${describe(error.cause)})`
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')])
  return Object.fromEntries(entries)
}
