import { type Account, CodedError, endOf } from '@tokenkeeper/core'
import type { AccountKeyCounts, AccountStore, DueAccount, ListQuery, Login, PagesDueAccount } from '@tokenkeeper/store'
import { applyToModel } from '@tokenkeeper/store/model'
import type { Data } from './data.ts'
import { byId, idsAfter } from './entries.ts'
import type { Transport } from './memory-store.ts'

export function createAccountStore({ read, write }: Transport): AccountStore {
  return {
    insert: (account) =>
      write({ name: 'insert', accountId: account.id }, ({ accounts }) => {
        if (accounts.has(account.id) || withLogin(accounts, account)) throw new CodedError('ACCOUNT_EXISTS')
        accounts.set(account.id, account)
      }),
    get: (id) => read('get', ({ accounts }) => accounts.get(id) ?? null),
    getMany: (ids) => read('getMany', ({ accounts }) => ids.flatMap((id) => accounts.get(id) ?? [])),
    findByLogin: (login) => read('findByLogin', ({ accounts }) => withLogin(accounts, login) ?? null),
    write: (one) =>
      write(one, ({ accounts }) => {
        const account = accounts.get(one.accountId)
        const changed = account && applyToModel(account, one)
        if (changed) accounts.set(changed.id, changed)
        return Boolean(changed)
      }),
    due: ({ platform, statusIn, before, after, limit }) =>
      read('due', (data) =>
        listed(data, { platform, statusIn })
          .filter(({ nextRefreshAt }) => nextRefreshAt <= before)
          .toSorted(byDueTime)
          .filter((account) => after === null || byDueTime(account, after) > 0)
          .slice(0, limit)
          .map(toDue),
      ),
    pagesDue: ({ platforms, at, after, limit }) =>
      read('pagesDue', ({ accounts }) =>
        [...accounts.values()]
          .filter(({ platform, status }) => platforms.includes(platform) && status === 'active')
          .flatMap((account) =>
            account.pagesDueAt === null ? [] : [{ ...toDue(account), pagesDueAt: account.pagesDueAt }],
          )
          .filter(({ pagesDueAt }) => pagesDueAt <= at)
          .toSorted(byPagesDueTime)
          .filter((account) => after === null || byPagesDueTime(account, after) > 0)
          .slice(0, limit),
      ),
    stale: ({ now, limit }) =>
      read('stale', ({ accounts }) =>
        [...accounts.values()]
          .filter((account) => staleAt(account) <= now)
          .toSorted((a, b) => staleAt(a) - staleAt(b))
          .slice(0, limit)
          .map(toDue),
      ),
    withOutbox: ({ afterId, limit }) =>
      read('withOutbox', ({ accounts }) => {
        const telling = [...accounts.values()].filter(({ outbox }) => outbox.length > 0)
        return idsAfter(telling, afterId, limit).map(({ id }) => id)
      }),
    expiring: ({ platforms, from, before, after, limit }) =>
      read('expiring', ({ accounts }) =>
        [...accounts.values()]
          .filter(({ platform, status }) => platforms.includes(platform) && status !== 'removing')
          .flatMap((account) => {
            const end = endOf(account)
            return end === null ? [] : [{ account, id: account.id, endsAt: end.at }]
          })
          .filter(({ endsAt }) => from <= endsAt && endsAt < before)
          .toSorted(byEnd)
          .filter((one) => after === null || byEnd(one, after) > 0)
          .slice(0, limit)
          .map(({ account }) => account),
      ),
    list: ({ afterId, limit, ...filter }) => read('list', (data) => idsAfter(listed(data, filter), afterId, limit)),
    count: (filter) => read('count', (data) => listed(data, filter).length),
    pull: (id, itemIds) =>
      write({ name: 'pull', accountId: id }, ({ accounts }) => {
        const account = accounts.get(id)
        if (!account) return false
        accounts.set(id, { ...account, outbox: account.outbox.filter((item) => !itemIds.includes(item.id)) })
        return true
      }),
    deleteRemoved: (id) =>
      write({ name: 'delete', accountId: id }, ({ accounts }) => {
        const account = accounts.get(id)
        return account?.status === 'removing' && account.outbox.length === 0 && accounts.delete(id)
      }),
    isShared: (of) =>
      read('isShared', ({ accounts }) =>
        [...accounts.values()].some(
          (one) =>
            one.id !== of.id &&
            one.status !== 'removing' &&
            one.platform === of.platform &&
            one.providerAppId === of.providerAppId &&
            one.externalId === of.externalId,
        ),
      ),
    countKeys: () => read('countKeys', ({ accounts }) => countKeys([...accounts.values()])),
  }
}

/** When somebody may take the standing attempt over; Infinity if nobody ever may, or none stands. */
export function staleAt({ attempt, status }: Account): number {
  if (attempt === null || status === 'quarantined' || status === 'removing') return Number.POSITIVE_INFINITY
  return attempt.state === 'live' ? attempt.leaseUntil : attempt.notBefore
}

function countKeys(accounts: readonly Account[]): AccountKeyCounts[] {
  const counts = new Map<string, Counts>()
  const add = (place: keyof Counts, keyId: string | null) => {
    if (keyId === null || keyId === '') return
    const one = counts.get(keyId) ?? { current: 0, previous: 0, former: 0, appPasswords: 0 }
    counts.set(keyId, { ...one, [place]: one[place] + 1 })
  }
  for (const { keyId, previousKeyId, appPasswordKeyId, formerCredentials } of accounts) {
    add('current', keyId)
    add('previous', previousKeyId)
    add('appPasswords', appPasswordKeyId)
    for (const former of formerCredentials) add('former', former.keyId)
  }
  return [...counts].toSorted().map(([keyId, one]) => ({ keyId, ...one }))
}

type Counts = Omit<AccountKeyCounts, 'keyId'>

function withLogin(accounts: Data['accounts'], login: Login): Account | undefined {
  return [...accounts.values()].find(
    (account) =>
      account.ownerId === login.ownerId &&
      account.platform === login.platform &&
      account.providerAppId === login.providerAppId &&
      account.externalId === login.externalId,
  )
}

function listed(
  { accounts }: Data,
  { platform, platformIn, statusIn, ownerId }: Omit<ListQuery, 'afterId' | 'limit'>,
): Account[] {
  return [...accounts.values()]
    .filter(
      (account) =>
        (platform === undefined || account.platform === platform) &&
        (platformIn === undefined || platformIn.includes(account.platform)) &&
        (statusIn === undefined || statusIn.includes(account.status)) &&
        (ownerId === undefined || account.ownerId === ownerId),
    )
    .toSorted(byId)
}

type DueKey = Pick<Account, 'nextRefreshAt' | 'id'>

function byDueTime(a: DueKey, b: DueKey): number {
  return a.nextRefreshAt - b.nextRefreshAt || byId(a, b)
}

type PagesDueKey = Pick<PagesDueAccount, 'pagesDueAt' | 'id'>

function byPagesDueTime(a: PagesDueKey, b: PagesDueKey): number {
  return a.pagesDueAt - b.pagesDueAt || byId(a, b)
}

interface EndKey {
  readonly endsAt: number
  readonly id: string
}

function byEnd(a: EndKey, b: EndKey): number {
  return a.endsAt - b.endsAt || byId(a, b)
}

function toDue({ id, platform, serviceUrl, nextRefreshAt, diesAt }: Account): DueAccount {
  return { id, platform, serviceUrl, nextRefreshAt, diesAt }
}
