import { z } from 'zod'

/** What we read in a session token. Nothing is verified: tokens are opaque to clients, these are hints from the issuer. */
export interface TokenClaims {
  /** ms since the epoch. */
  readonly expiresAt: number | null
  readonly jti: string | null
  /** Whose it is: the DID. */
  readonly sub: string | null
  /** Who issued it and alone accepts it (`did:web:HOST`). */
  readonly aud: string | null
  readonly scopes: readonly string[]
}

/** Each claim by itself: one that we cannot read must not hide the others. */
const claimsSchema = z
  .object({
    exp: z.number().positive().max(8.64e12).optional().catch(undefined),
    jti: z.string().optional().catch(undefined),
    sub: z.string().optional().catch(undefined),
    aud: z.string().optional().catch(undefined),
    scope: z.string().optional().catch(undefined),
  })
  .catch({})

/** The claims of a token; all null if it is no JWT. */
export function readClaims(token: string): TokenClaims {
  const { exp, jti, sub, aud, scope } = claimsSchema.parse(payloadOf(token))
  return {
    expiresAt: exp === undefined ? null : Math.floor(exp * 1000),
    jti: jti ?? null,
    sub: sub ?? null,
    aud: aud ?? null,
    scopes: scope?.split(' ').filter((part) => part !== '') ?? [],
  }
}

function payloadOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  } catch {
    return {}
  }
}
