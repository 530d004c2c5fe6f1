import type { Verdict } from '@tokenkeeper/core'
import { z } from 'zod'
import { headerSafe } from '../http/header-safe.ts'
import type { HttpResult } from '../http/http.ts'
import type { Refreshed } from '../provider.ts'
import { readClaims, type TokenClaims } from './jwt.ts'

const sessionSchema = z.object({
  did: z.string(),
  accessJwt: headerSafe,
  refreshJwt: headerSafe,
  handle: z.unknown().optional(),
  active: z.unknown().optional(),
})

/** A session as createSession and refreshSession answer it, with what its tokens say. */
export interface Session {
  readonly did: string
  readonly handle: unknown
  readonly refreshed: Refreshed
  readonly access: TokenClaims
  readonly refresh: TokenClaims
}

/**
 * Reads an answer's data; null if it is no session. What its tokens say of themselves may be missing: the old token is
 * spent by now, so a successor that works must not be thrown away for a claim that cannot be read.
 */
export function readSession(data: unknown): Session | null {
  const { data: session } = sessionSchema.safeParse(data)
  if (!session) return null
  const access = readClaims(session.accessJwt)
  const refresh = readClaims(session.refreshJwt)
  const refreshed: Refreshed = {
    kind: 'refreshed',
    credential: { accessToken: session.accessJwt, refreshToken: session.refreshJwt },
    accessExpiresAt: access.expiresAt,
    diesAt: refresh.expiresAt,
    note: session.active === false ? 'BLUESKY_DEACTIVATED' : null,
  }
  return { did: session.did, handle: session.handle, refreshed, access, refresh }
}

/** The successor in a session, if it is of the wanted account. */
export function successorFor(did: string, session: Session | null): Refreshed | Verdict {
  if (session === null) {
    return { kind: 'retry', code: 'PROVIDER_BAD_ANSWER', spent: 'unknown', internal: '200 without a usable session' }
  }
  if (session.did !== did) {
    return { kind: 'retry', code: 'PROVIDER_WRONG_ACCOUNT', spent: 'unknown', internal: '200 with another DID' }
  }
  return session.refreshed
}

export function parseJson(result: HttpResult & { kind: 'answer' }): unknown {
  try {
    return JSON.parse(result.body)
  } catch {
    return null
  }
}
