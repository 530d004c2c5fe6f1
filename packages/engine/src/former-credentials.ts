import { type Account, type FormerCredential, GRACE_MS } from '@tokenkeeper/core'

/** Who refreshes by hand more often than that within a grace leaves the oldest ones to their end. */
const MOST = 10

/** What a commit takes out of its place: the credential before the last one, for as long as it may be in its grace. */
export function previousOf({ previousCredential, previousKeyId, lastRefreshedAt }: Account): FormerCredential[] {
  if (previousCredential === null || previousKeyId === null || lastRefreshedAt === null) return []
  return [{ sealed: previousCredential, keyId: previousKeyId, until: lastRefreshedAt + GRACE_MS }]
}

/** What a reconnect takes out of its place besides: a session of its own, which nobody has ended. */
export function currentOf({ sealedCredential, keyId, diesAt }: Account): FormerCredential[] {
  return diesAt === null ? [] : [{ sealed: sealedCredential, keyId, until: diesAt }]
}

/** The former credentials with those added that lose their place now, the oldest first; without what is over. */
export function withFormer(
  { formerCredentials }: Account,
  displaced: readonly FormerCredential[],
  now: number,
): readonly FormerCredential[] {
  return [...formerCredentials, ...displaced].filter(({ until }) => until > now).slice(-MOST)
}
