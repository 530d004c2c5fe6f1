import type { Account } from '@tokenkeeper/core'
import type { AccountWrite } from '@tokenkeeper/store'

/**
 * The writes that tell an account's Pages from due. The first two only while generation and pagesDueAt are as read: what a commit
 * or a reconnect made due meanwhile stays due.
 */

/** A complete listing is stored; `dueAt`: another one is wanted then (ms). */
export function pagesFetched(account: Account, dueAt: number | null): AccountWrite {
  return asRead(account, { pagesGeneration: account.generation, pagesDueAt: dueAt })
}

/** `refreshAt`: the account itself is due then (ms), since a refresh finds out what is wrong with its token. */
export function pagesPutOff(account: Account, dueAt: number, refreshAt?: number): AccountWrite {
  return asRead(account, { pagesDueAt: dueAt, ...(refreshAt !== undefined && { nextRefreshAt: refreshAt }) })
}

/** What was fetched is lost. Whatever is known of them now: a listing too many costs nothing. */
export function pagesDue(accountId: string, dueAt: number): AccountWrite {
  return { name: 'pages', accountId, when: { statusNot: 'removing' }, change: { set: { pagesDueAt: dueAt } } }
}

function asRead({ id, generation, pagesDueAt }: Account, set: AccountWrite['change']['set'] & object): AccountWrite {
  return { name: 'pages', accountId: id, when: { generation, pagesDueAt, statusNot: 'removing' }, change: { set } }
}
