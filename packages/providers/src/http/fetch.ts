import type { Http, HttpAnswer, HttpResult } from './http.ts'

/** A request made through {@link createFetch} that did not end in a 2xx answer; `result` is what it ended in. */
export class HttpResultError extends Error {
  override name = 'HttpResultError'
  readonly result: HttpResult

  constructor(result: HttpResult) {
    super(result.kind === 'answer' ? `answered ${result.status}` : `${result.kind}: ${result.internal}`)
    this.result = result
  }
}

/**
 * A `fetch` over the guarded client, for libraries that take one. It resolves for a 2xx answer only and rejects with
 * HttpResultError otherwise, since libraries lose what was really answered (an HTML 401 becomes an XRPC error by name).
 * Redirects are followed for a GET, up to `maxRedirects`; each hop passes the guard.
 */
export function createFetch(
  http: Http,
  { timeoutMs, maxRedirects = 0 }: { readonly timeoutMs: number; readonly maxRedirects?: number },
): typeof globalThis.fetch {
  return async (input, init) => {
    const { method, url, headers, signal, ...body } = await readRequest(input, init)
    let next = url
    for (let hop = 0; ; hop++) {
      const result = await http.request({ method, url: next, headers, timeoutMs, signal, ...body })
      if (result.kind !== 'answer') throw new HttpResultError(result)
      if (result.status >= 200 && result.status < 300) {
        return new Response(result.body || null, { status: result.status, headers: result.headers })
      }
      const target = method === 'GET' && hop < maxRedirects ? redirectTarget(result, next) : null
      if (target === null) throw new HttpResultError(result)
      next = target
    }
  }
}

async function readRequest(input: string | URL | Request, init?: RequestInit) {
  const request = new Request(input, init)
  return {
    method: request.method === 'POST' ? ('POST' as const) : ('GET' as const),
    url: request.url,
    headers: Object.fromEntries(request.headers),
    signal: request.signal,
    ...(request.body === null ? {} : { body: await request.text() }),
  }
}

function redirectTarget({ status, headers }: HttpAnswer, from: string): string | null {
  const location = headers.location
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return null
  return URL.parse(location, from)?.href ?? null
}
