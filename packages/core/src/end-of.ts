import type { Account } from './account.ts'

/** `token`: its token dies. `data_access`: the consent to its user's data is over, which only a login renews. */
export type EndKind = 'token' | 'data_access'

/** What an account comes to its end by, and when (ms since the epoch): whichever is sooner; null = no end is known. */
export function endOf({
  diesAt,
  dataAccessExpiresAt,
}: Pick<Account, 'diesAt' | 'dataAccessExpiresAt'>): { readonly at: number; readonly by: EndKind } | null {
  if (dataAccessExpiresAt !== null && dataAccessExpiresAt < (diesAt ?? Number.POSITIVE_INFINITY))
    return { at: dataAccessExpiresAt, by: 'data_access' }
  return diesAt === null ? null : { at: diesAt, by: 'token' }
}
