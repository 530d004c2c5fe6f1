import type { Clock, PageVerdict, Platform, Verdict } from '@tokenkeeper/core'
import type { z } from 'zod'
import type { Http, HttpAnswer, HttpResult } from '../http/http.ts'
import { classify, type GraphCall } from './classify.ts'
import { readGraphError } from './graph-error.ts'
import { parseGraphJson } from './json.ts'
import { readUsage, type Usage } from './usage.ts'

/** Our app at Meta; Instagram and Threads know it by ids and secrets of their own. */
export interface GraphApp {
  readonly id: string
  readonly secret: string
}

export interface GraphOptions {
  readonly http: Http
  readonly clock: Clock
  readonly app: GraphApp
  /** Told after each answer how much of which budget is spent. Must not throw. */
  readonly onUsage?: (usage: Usage, of: { readonly platform: Platform; readonly appId: string }) => void
}

export interface GraphRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  readonly query?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
  /** Sent as a header, where it gets into no log of addresses. */
  readonly bearer?: string
  readonly timeoutMs?: number
}

/** `result`: the answer itself, for what else is in it. */
export type GraphReply<T, V = Verdict> =
  | { readonly ok: true; readonly value: T; readonly result: HttpAnswer }
  | { readonly ok: false; readonly verdict: V }

export interface GraphClient {
  /** One request, never repeated. The value, if the answer is what `schema` takes; else a verdict. Never rejects. */
  call<T>(call: Exclude<GraphCall, 'page'>, schema: z.ZodType<T>, request: GraphRequest): Promise<GraphReply<T>>
  call<T>(call: GraphCall, schema: z.ZodType<T>, request: GraphRequest): Promise<GraphReply<T, PageVerdict>>
}

/** Parameters that are secrets: in Meta's messages they are looked for and cut out. */
const SECRET_PARAMETERS = [
  'access_token',
  'appsecret_proof',
  'client_secret',
  'code',
  'fb_exchange_token',
  'input_token',
  'revoke_token',
]

export function createGraphClient(
  platform: Platform,
  { http, clock, app, onUsage }: GraphOptions,
  onAnswer: (answer: HttpAnswer) => void = () => {},
): GraphClient {
  async function send({ method, url, query, form, bearer, timeoutMs }: GraphRequest): Promise<HttpResult> {
    const result = await http.request({
      method,
      url: query ? `${url}?${new URLSearchParams(query)}` : url,
      headers: {
        accept: 'application/json',
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      },
      ...(form ? { body: new URLSearchParams(form).toString() } : {}),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
    if (result.kind === 'answer') {
      onUsage?.(readUsage(result.headers, clock.now()), { platform, appId: app.id })
      onAnswer(result)
    }
    return result
  }

  async function call<T>(name: GraphCall, schema: z.ZodType<T>, request: GraphRequest) {
    const result = await send(request)
    if (result.kind === 'answer' && result.status === 200) {
      const body = parseGraphJson(result.body)
      // An error may come with a 200.
      const parsed = readGraphError(body) === null ? schema.safeParse(body) : null
      if (parsed?.success) return { ok: true as const, value: parsed.data, result }
    }
    return { ok: false as const, verdict: classify(name, result, { now: clock.now(), secrets: secretsOf(request) }) }
  }

  function secretsOf({ query = {}, form = {}, bearer = '' }: GraphRequest): string[] {
    const sent = SECRET_PARAMETERS.flatMap((name) => [query[name] ?? '', form[name] ?? ''])
    return [...sent, bearer, app.secret].filter((secret) => secret !== '')
  }

  // The overloads say more than can be inferred: a Page is lost only where a Page was asked for.
  return { call: call as GraphClient['call'] }
}
