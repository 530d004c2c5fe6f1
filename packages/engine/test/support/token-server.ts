import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { DAY } from '@tokenkeeper/core'

/**
 * How the next exchange goes. All but the last two are processed: a new token exists afterwards.
 * - same_expiry, shorter: 200 with a token that ends with, or a day before, the one that was presented.
 * - drop_answer: the connection is cut after the work is done.
 * - hold, hold_shorter: answered on release(), or never.
 * - error: 500, not processed.
 * - dead: the code of a dead token, whatever the token.
 */
export type Exchange = 'same_expiry' | 'shorter' | 'drop_answer' | 'hold' | 'hold_shorter' | 'error' | 'dead'

/** What the debug endpoint says. Default: the truth. */
export type Debug = 'truth' | 'valid' | 'invalid' | 'error'

export interface TokenServer extends AsyncDisposable {
  readonly url: string
  /** A token of 60 days. */
  issue(livesMs?: number): IssuedToken
  revoke(token: string): void
  /** Would the provider accept it now? */
  works(token: string): boolean
  /** How the coming exchanges go, one each; afterwards they succeed again. */
  next(...exchanges: Exchange[]): void
  debug(debug: Debug): void
  /** Answers what is held. */
  release(): void
  /** Resolves once a request is held. */
  readonly holding: Promise<void>
  /** The tokens that were presented, in order. */
  readonly presented: readonly string[]
  /** Those that the debug endpoint was asked about. */
  readonly inspected: readonly string[]
}

export interface IssuedToken {
  readonly token: string
  readonly expiresAt: number
}

const LIFE_MS = 60 * DAY

/**
 * Long-lived tokens as Meta keeps them: an exchange yields a new string with a later end, and the old one goes on
 * working until its own. Ends are told as `expires_in`, whole seconds from now.
 */
export async function startTokenServer({ now }: { readonly now: () => number }): Promise<TokenServer> {
  const ends = new Map<string, number>()
  const revoked = new Set<string>()
  const presented: string[] = []
  const inspected: string[] = []
  const exchanges: Exchange[] = []
  const held: (() => void)[] = []
  const holding = Promise.withResolvers<void>()
  let debug: Debug = 'truth'

  const works = (token: string) => !revoked.has(token) && (ends.get(token) ?? 0) > now()
  const issueUntil = (expiresAt: number): IssuedToken => {
    const token = `opaque.${randomBytes(24).toString('base64url')}`
    ends.set(token, expiresAt)
    return { token, expiresAt }
  }

  function exchange(response: ServerResponse, token: string): void {
    presented.push(token)
    const how = exchanges.shift()
    if (how === 'error') return void json(response, 500, { error: { code: 2, message: `An error with ${token}` } })
    if (how === 'dead' || !works(token)) {
      const message = `Error validating access token ${token}: the session has expired`
      return void json(response, 400, { error: { code: 190, error_subcode: 463, message } })
    }
    const old = ends.get(token)!
    const end = how === 'same_expiry' ? old : how?.endsWith('shorter') ? old - DAY : now() + LIFE_MS
    const issued = issueUntil(end)
    const expires_in = Math.floor((end - now()) / 1000)
    const answer = () => json(response, 200, { access_token: issued.token, token_type: 'bearer', expires_in })
    if (how === 'drop_answer') response.destroy()
    else if (!how?.startsWith('hold')) answer()
    else {
      held.push(answer)
      holding.resolve()
    }
  }

  function inspect(response: ServerResponse, token: string): void {
    inspected.push(token)
    if (debug === 'error') return void json(response, 500, { error: { code: 1, message: 'An unknown error' } })
    const isValid = debug === 'truth' ? works(token) : debug === 'valid'
    json(response, 200, { data: { is_valid: isValid } })
  }

  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request).catch(() => ''))
    if (request.url === '/oauth/access_token') exchange(response, form.get('fb_exchange_token') ?? '')
    else if (request.url === '/debug_token') inspect(response, form.get('input_token') ?? '')
    else json(response, 404, {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    issue: (livesMs = LIFE_MS) => issueUntil(now() + livesMs),
    revoke: (token) => void revoked.add(token),
    works,
    next: (...how) => void exchanges.push(...how),
    debug: (how) => {
      debug = how
    },
    release: () => {
      for (const answer of held.splice(0)) answer()
    },
    holding: holding.promise,
    presented,
    inspected,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
