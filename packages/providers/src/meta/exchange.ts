import type { Verdict } from '@tokenkeeper/core'
import type { GraphReply } from '../graph/client.ts'
import { endOf, type TokenAnswer, tokenAnswer } from '../graph/token-answer.ts'
import type { MetaGraph } from './graph.ts'
import { inspectToken } from './inspect-token.ts'

/** A token just given. Times in ms; null = never. */
export interface ExchangedToken {
  readonly accessToken: string
  readonly diesAt: number | null | 'unknown'
  /** Absent if Meta was not asked. */
  readonly dataAccessExpiresAt?: number | null
}

/** Whoever issued the token of an account, where it was no person's login. */
export const BUSINESS_ISSUER = 'business'

/**
 * fb_exchange_token: short-lived → long-lived, or long-lived → long-lived, which Meta does not document to extend
 * (https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived). By POST, so that no secret
 * gets into an address. An answer that does not tell the end is settled by debug_token.
 */
export async function exchangeToken(
  graph: MetaGraph,
  token: string,
  { ofSystemUser, timeoutMs }: { readonly ofSystemUser: boolean; readonly timeoutMs?: number },
): Promise<{ readonly ok: true; readonly value: ExchangedToken } | { readonly ok: false; readonly verdict: Verdict }> {
  const askedAt = graph.options.clock.now()
  const form = {
    grant_type: 'fb_exchange_token',
    fb_exchange_token: token,
    ...(ofSystemUser ? { set_token_expires_in_60_days: 'true' } : {}),
  }
  const reply = await requestToken(graph, 'exchange', form, timeoutMs)
  if (!reply.ok) return reply
  const accessToken = reply.value.access_token
  const diesAt = endOf(reply.value, askedAt)
  if (diesAt !== null) return { ok: true, value: { accessToken, diesAt } }
  const inspection = await inspectToken(graph, accessToken)
  // The token is kept all the same: it works, whatever the second call came to.
  if (!inspection.ok || !inspection.value.valid) return { ok: true, value: { accessToken, diesAt: 'unknown' } }
  const { expiresAt, dataAccessExpiresAt } = inspection.value
  return { ok: true, value: { accessToken, diesAt: expiresAt, dataAccessExpiresAt } }
}

/** POST /oauth/access_token with the app's id and secret, which take the place of a proof. */
export function requestToken(
  { options, call, url }: MetaGraph,
  name: 'code' | 'exchange' | 'app',
  form: Readonly<Record<string, string>>,
  timeoutMs?: number,
): Promise<GraphReply<TokenAnswer>> {
  const { id, secret } = options.app
  return call(name, tokenAnswer, {
    method: 'POST',
    url: url('oauth/access_token'),
    form: { client_id: id, client_secret: secret, ...form },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })
}
