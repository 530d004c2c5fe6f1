import { type Clock, SECOND, type Verdict } from '@tokenkeeper/core'
import { createFetch, HttpResultError } from '../http/fetch.ts'
import type { Http } from '../http/http.ts'
import { classify } from './classify.ts'
import { readSession, type Session } from './session.ts'

const TIMEOUT_MS = 30 * SECOND

export interface LoginRequest {
  readonly serviceUrl: string
  /** Handle or DID. */
  readonly identifier: string
  readonly password: string
}

export type LoginAnswer =
  | { readonly kind: 'session'; readonly session: Session }
  | { readonly kind: 'failed'; readonly verdict: Verdict }

/** createSession through the atproto agent, which checks the answer by its lexicon. Never rejects. */
export async function createSession(
  { http, clock }: { readonly http: Http; readonly clock: Clock },
  { serviceUrl, identifier, password }: LoginRequest,
): Promise<LoginAnswer> {
  const failed = (verdict: Verdict): LoginAnswer => ({ kind: 'failed', verdict })
  try {
    // Loaded on need: it takes some 60 MB, and a worker that only refreshes never logs in.
    const { CredentialSession } = await import('@atproto/api')
    const agent = new CredentialSession(new URL(serviceUrl), createFetch(http, { timeoutMs: TIMEOUT_MS }))
    const session = readSession((await agent.login({ identifier, password })).data)
    return session ? { kind: 'session', session } : failed(badAnswer('200 without a usable session'))
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    if (cause instanceof HttpResultError) return failed(classify('login', cause.result, clock.now(), [password]))
    // The agent's words may hold parts of the answer.
    return failed(badAnswer(`login: ${error instanceof Error ? error.name : 'no error'}`))
  }
}

function badAnswer(internal: string): Verdict {
  return { kind: 'retry', code: 'PROVIDER_BAD_ANSWER', spent: 'unknown', internal }
}
