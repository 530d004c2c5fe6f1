import { type Account, FOREVER, type Platform } from '@tokenkeeper/core'
import type { FreshLogin } from '@tokenkeeper/providers'
import type { Sealer, Store } from '@tokenkeeper/store'

/** The active accounts that fall due next. */
export async function nextDue(
  { accounts }: Store,
  platforms: readonly Platform[],
  limit: number,
): Promise<readonly Account[]> {
  const query = { statusIn: ['active'], before: FOREVER, after: null, limit } as const
  const due = (await Promise.all(platforms.map((platform) => accounts.due({ ...query, platform })))).flat()
  const first = due.toSorted((a, b) => a.nextRefreshAt - b.nextRefreshAt).slice(0, limit)
  const found = new Map((await accounts.getMany(first.map(({ id }) => id))).map((account) => [account.id, account]))
  return first.flatMap(({ id }) => found.get(id) ?? [])
}

/**
 * An account as it stands, but with the login and the tokens of a made-up user, and due now (ms). Field by field: nothing
 * that is sealed may come along.
 */
export function copyOf(real: Account, login: FreshLogin, sealer: Sealer, loggedInAt: number, now: number): Account {
  const { id, ownerId, platform, displayName, generation, connectId, lastAttempt } = real
  const { credential, ...facts } = login
  const { sealed, keyId } = sealer.seal(JSON.stringify(credential), id, 'credential')
  return {
    ...facts,
    id,
    ownerId,
    platform,
    displayName,
    status: 'active',
    statusReason: null,
    generation,
    sealedCredential: sealed,
    keyId,
    previousCredential: null,
    previousKeyId: null,
    formerCredentials: [],
    connectId,
    dataAccessExpiresAt: login.dataAccessExpiresAt ?? null,
    connectedAt: loggedInAt,
    lastRefreshedAt: null,
    nextRefreshAt: now,
    snoozedAt: null,
    failure: null,
    attempt: null,
    lastAttempt,
    pagesGeneration: 0,
    pagesDueAt: platform === 'meta' ? now : null,
    outbox: [],
    ownerEmail: null,
    sealedAppPassword: null,
    appPasswordKeyId: null,
    appPasswordTriedAt: null,
  }
}
