import { REFRESH } from '../load.ts'
import type { Token } from '../world/sessions.ts'
import type { World } from '../world/world.ts'

/** A refresh token as it arrived at the proxy. */
export interface Presentation {
  /** ms by the system's clock. */
  readonly at: number
  readonly token: Token
  /** What the client was told; undefined: nothing. */
  readonly status: number | undefined
}

/** Where they are recorded. */
export interface Wire extends Pick<World, 'sessions'> {
  readonly proxy: Pick<World['proxy'], 'requests'>
}

/** All of them since the start, by the DID of their session, in the order of arrival. */
export function presentationsByDid({ proxy, sessions }: Wire): Map<string, Presentation[]> {
  const byDid = new Map<string, Presentation[]>()
  for (const { path, at, status, tokenDigest } of proxy.requests) {
    if (path !== REFRESH) continue
    const token = sessions.byDigest(tokenDigest ?? '')
    if (!token) throw new Error('A token was presented that the PDS never issued')
    const known = byDid.get(token.did)
    if (known) known.push({ at, token, status })
    else byDid.set(token.did, [{ at, token, status }])
  }
  return byDid
}
