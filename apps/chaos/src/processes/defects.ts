import type { Account } from '@tokenkeeper/core'
import type { AccountWrite, Store } from '@tokenkeeper/store'

/** Mistakes that can be planted in the product, to show that the verdict finds them. */
export const DEFECTS = [
  'commit-unfenced',
  'attempts-cleared',
  'failure-is-death',
  'given-up-untold',
  'never-due-again',
] as const
export type Defect = (typeof DEFECTS)[number]

/** The store of a product that makes the mistake. */
export function plantDefect(store: Store, defect: Defect | undefined): Store {
  switch (defect) {
    case 'commit-unfenced':
      return rewriting(store, (write) => (write.name === 'commit' ? { ...write, when: {} } : write))
    case 'attempts-cleared':
      return clearingAttempts(store)
    case 'failure-is-death':
      return rewriting(store, (write) => (write.name === 'release' ? toDeath(write) : write))
    case 'given-up-untold':
      return rewriting(store, (write) => (write.name === 'commit' ? givingUp(write) : write))
    case 'never-due-again':
      return rewriting(store, (write) => (write.name === 'commit' ? neverDue(write) : write))
    case undefined:
      return store
  }
}

function rewriting(store: Store, rewrite: (write: AccountWrite) => AccountWrite): Store {
  return { ...store, accounts: { ...store.accounts, write: (write) => store.accounts.write(rewrite(write)) } }
}

/** A worker that takes whatever stands there at its start for left-overs, and forgets it. */
function clearingAttempts(store: Store): Store {
  const clear = ({ id }: Account) =>
    store.accounts.write({ name: 'clear', accountId: id, when: {}, change: { set: { attempt: null } } })
  const clearAll = async () => {
    const accounts = await store.accounts.list({ afterId: null, limit: 10_000 })
    await Promise.all(accounts.filter(({ attempt }) => attempt !== null).map(clear))
  }
  let cleared: Promise<void> | undefined
  return {
    ...store,
    accounts: {
      ...store.accounts,
      async stale(query) {
        cleared ??= clearAll()
        await cleared
        return store.accounts.stale(query)
      },
    },
  }
}

/** The session lives, and the account is taken out of service without a word. */
function givingUp(write: AccountWrite): AccountWrite {
  return { ...write, change: { ...write.change, status: { active: 'needs_reconnect' } } }
}

/** Only who asks for it gets a refresh. */
function neverDue(write: AccountWrite): AccountWrite {
  const set = { ...write.change.set, nextRefreshAt: Number.MAX_SAFE_INTEGER }
  return { ...write, change: { ...write.change, set } }
}

/** What apps do on any error: the account needs a new login. */
function toDeath(write: AccountWrite): AccountWrite {
  const { id = '', at = 0 } = write.change.set?.lastAttempt ?? {}
  const entry = { id: id.replace(/^./, 'f'), accountId: write.accountId, type: 'account.needs_reconnect', at } as const
  return {
    ...write,
    change: {
      ...write.change,
      status: { active: 'needs_reconnect' },
      tell: [...(write.change.tell ?? []), { kind: 'event', id: entry.id, entry: { ...entry, reason: null } }],
    },
  }
}
