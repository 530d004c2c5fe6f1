import { type Extension, SAME_END_MS } from '@tokenkeeper/core'
import { z } from 'zod'
import { headerSafe } from '../http/header-safe.ts'
import type { Refreshed } from '../provider.ts'

const seconds = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)])

/**
 * `{"access_token","token_type":"bearer","expires_in"}`. `expires_in` may be missing, which means unknown: neither sixty
 * days nor expired (restfb#770, huandu/facebook#41).
 */
export const tokenAnswer = z.object({
  access_token: headerSafe,
  expires_in: seconds.optional().catch(undefined),
})

export type TokenAnswer = z.infer<typeof tokenAnswer>

/** The end of a token (ms) that was asked for at `askedAt`: never later than it really is. Null = not told. */
export function endOf({ expires_in: lifetime }: TokenAnswer, askedAt: number): number | null {
  return lifetime === undefined || lifetime <= 0 ? null : askedAt + lifetime * 1000
}

/** A token that is kept, with what became of its end. Both ends in ms; null = not known, or none. */
export function keptToken(accessToken: string, diesAt: number | null, before: number | null): Refreshed {
  return {
    kind: 'refreshed',
    credential: { accessToken, refreshToken: '' },
    accessExpiresAt: diesAt,
    diesAt,
    note: null,
    extension: extensionOf(before, diesAt),
  }
}

/** The same where the end of the new token could not be learnt: it ends no sooner than the one before did. */
export function keptWithUnknownEnd(accessToken: string, before: number | null): Refreshed {
  return { ...keptToken(accessToken, before, null), extension: 'unknown' }
}

function extensionOf(before: number | null, after: number | null): Extension {
  if (before === null || after === null) return 'unknown'
  return after > before + SAME_END_MS ? 'extended' : 'same_expiry'
}
