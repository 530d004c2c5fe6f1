import { SECOND, type Verdict } from '@tokenkeeper/core'
import { z } from 'zod'
import { classify } from '../graph/classify.ts'
import { readGraphError } from '../graph/graph-error.ts'
import type { MetaGraph } from './graph.ts'

const TIMEOUT_MS = 10 * SECOND

/** What debug_token tells. Times in ms. */
export interface TokenInfo {
  readonly valid: boolean
  readonly appId: string | null
  readonly userId: string | null
  /** `USER`, `SYSTEM_USER`, `PAGE`, `APP`. */
  readonly type: string | null
  /** Null = never. */
  readonly expiresAt: number | null
  /** Null = never. */
  readonly dataAccessExpiresAt: number | null
  readonly scopes: readonly string[]
  /** Of a token that is not valid: why, if it is told. */
  readonly fault: Verdict | null
}

export type Inspection =
  | { readonly ok: true; readonly value: TokenInfo }
  | { readonly ok: false; readonly verdict: Verdict }

const id = z
  .union([z.string(), z.number().transform(String)])
  .nullish()
  .catch(null)
/** Unix time; 0 = never. */
const time = z
  .number()
  .nullish()
  .catch(null)
  .transform((seconds) => (seconds ? seconds * 1000 : null))

const inspected = z.object({
  data: z.object({
    is_valid: z.boolean(),
    app_id: id,
    user_id: id,
    type: z.string().nullish().catch(null),
    expires_at: time,
    data_access_expires_at: time,
    scopes: z.array(z.string()).catch([]),
    error: z.unknown().optional(),
  }),
})

/**
 * Asks Meta about a token as our app: what is wrong with the app fails the call, what is wrong with the token is in the
 * answer. A dead token comes as a 200. It counts as a call; for settling doubts, not for every token.
 */
export async function inspectToken(graph: MetaGraph, token: string): Promise<Inspection> {
  const { app, clock } = graph.options
  const reply = await graph.call('inspect', inspected, {
    method: 'GET',
    url: graph.url('debug_token'),
    query: { input_token: token },
    bearer: graph.appToken,
    timeoutMs: TIMEOUT_MS,
  })
  if (!reply.ok) return reply
  const { data } = reply.value
  const error = readGraphError({ error: data.error ?? null })
  const options = { now: clock.now(), secrets: [token, app.secret] }
  return {
    ok: true,
    value: {
      valid: data.is_valid,
      appId: data.app_id ?? null,
      userId: data.user_id ?? null,
      type: data.type ?? null,
      expiresAt: data.expires_at,
      dataAccessExpiresAt: data.data_access_expires_at,
      scopes: data.scopes,
      fault: data.is_valid || error === null ? null : classify('inspect', reply.result, { ...options, error }),
    },
  }
}
