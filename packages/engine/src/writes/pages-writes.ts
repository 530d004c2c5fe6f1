import type { Account } from '@tokenkeeper/core'
import type { AccountWrite } from '@tokenkeeper/store'

/**
 * The writes that tell an account's Pages from due. Each only while generation and pagesDueAt are as read: what a commit
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

function asRead({ id, generation, pagesDueAt }: Account, set: AccountWrite['change']['set'] & object): AccountWrite {
  return { name: 'pages', accountId: id, when: { generation, pagesDueAt, statusNot: 'removing' }, change: { set } }
}
