import { tokenDigest } from '@tokenkeeper/core'
import type { Answer, ProxiedRequest } from '@tokenkeeper/testkit'

/** What is known of one refresh token of the PDS. */
export interface Token {
  readonly jti: string
  readonly did: string
  /** The token that it succeeded; null = a login. */
  readonly parent: string | null
  /** Of a login: the how manieth of all. */
  readonly login: number | null
}

/** The family tree of all sessions, as the PDS's own answers told it. */
export interface Sessions {
  byJti(jti: string): Token | undefined
  byDigest(digest: string): Token | undefined
  /** Notes a login. */
  addLogin(refreshJwt: string): void
  /** Notes an answer of the PDS to a refresh. */
  onAnswer(request: ProxiedRequest, answer: Answer): void
}

export function createSessions(): Sessions {
  const tokens = new Map<string, Token>()
  const digests = new Map<string, string>()
  let logins = 0

  function add(refreshJwt: string, token: Omit<Token, 'jti' | 'did'>): void {
    const { jti, sub } = claimsOf(refreshJwt)
    // Within the grace the same successor comes again, in other bytes.
    digests.set(tokenDigest(refreshJwt), jti)
    if (!tokens.has(jti)) tokens.set(jti, { jti, did: sub, ...token })
  }

  const byDigest = (digest: string) => tokens.get(digests.get(digest) ?? '')
  return {
    byJti: (jti) => tokens.get(jti),
    byDigest,
    addLogin: (refreshJwt) => add(refreshJwt, { parent: null, login: logins++ }),
    onAnswer({ path, tokenDigest: digest }, { status, body }) {
      if (status !== 200 || !path.endsWith('.refreshSession')) return
      const parent = byDigest(digest ?? '')
      if (parent) add(JSON.parse(body.toString()).refreshJwt, { parent: parent.jti, login: null })
    },
  }
}

export interface Claims {
  readonly jti: string
  readonly sub: string
  readonly aud: string
  readonly exp: number
}

export function claimsOf(jwt: string): Claims {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
}
