import type { FreshLogin } from '@tokenkeeper/providers'
import type { Pds, PdsAccount } from '@tokenkeeper/testkit'
import { claimsOf, type Sessions } from './sessions.ts'

/** A user of the PDS, and what became of the connected account. */
export interface User {
  pds: PdsAccount
  /** Null: not connected now. */
  accountId: string | null
  /** Accounts of this user that were removed, or asked to be. */
  readonly removed: string[]
  /** When the user ended all sessions, and when a new login was stored after that; by the movable clock, in ms. */
  readonly revocations: { readonly from: number; to: number }[]
}

const AT_ONCE = 16

/** New users; their home is the proxy, also by their DID documents. */
export async function createUsers(pds: Pds, home: string, sessions: Sessions, count: number): Promise<User[]> {
  const accounts = await pds.createAccounts(count)
  await inLanes(accounts, AT_ONCE, (account) => pds.moveDid(account.did, home))
  for (const { refreshJwt } of accounts) sessions.addLogin(refreshJwt)
  return accounts.map((account) => ({ pds: account, accountId: null, removed: [], revocations: [] }))
}

/** Is the session of this time one that the user ended? */
export function hasRevoked(user: User, at: number): boolean {
  return user.revocations.some(({ from, to }) => from <= at && at <= to)
}

export function loginOf(
  { did, handle }: PdsAccount,
  home: string,
  session: { readonly accessJwt: string; readonly refreshJwt: string },
): FreshLogin {
  const { aud, exp } = claimsOf(session.refreshJwt)
  return {
    platform: 'bluesky',
    providerAppId: '',
    externalId: did,
    displayName: handle,
    serviceUrl: home,
    issuer: aud,
    scopes: [],
    credential: { accessToken: session.accessJwt, refreshToken: session.refreshJwt },
    accessExpiresAt: claimsOf(session.accessJwt).exp * 1_000,
    diesAt: exp * 1_000,
  }
}

/** Works on all items, so many at once. */
export async function inLanes<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>) {
  const rest = items.values()
  const lane = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}

/** Whose account it is, or was. */
export function didsOf(users: readonly User[]): Map<string, string> {
  return new Map(
    users.flatMap(({ pds, accountId, removed }) =>
      [...removed, ...(accountId === null ? [] : [accountId])].map((id) => [id, pds.did] as const),
    ),
  )
}
