import { type Account, CodedError, endOf, type Hook, type Platform } from '@tokenkeeper/core'
import type { mongo } from 'mongoose'
import type { ExpiringQuery } from '../reports.ts'
import type { AccountKeyCounts, AccountStore, DueAccount, DueQuery, ListQuery, PagesDueQuery } from '../store.ts'
import {
  changedFields,
  accountCodec as codec,
  INDEXED_FIELDS_STAGE,
  pulledFields,
  toAccountDocument,
} from './change.ts'
import { type Found, LEAST_ID, type StoredCollection, type StoredDocument, toId } from './codec.ts'
import { conditionTerms } from './condition.ts'
import type { Connection } from './connection.ts'
import { createInserts } from './inserts.ts'
import { KEY_STAGES } from './key-stages.ts'
import { createUpdates } from './updates.ts'

/** What {@link DueAccount} holds. */
const DUE_FIELDS = { platform: 1, serviceUrl: 1, nextRefreshAt: 1, diesAt: 1 }

/** Of one status: its part of the index is in order, so that nothing need be sorted. */
export function findDue(
  accounts: StoredCollection,
  { platform, before, after, limit }: Omit<DueQuery, 'statusIn'>,
  status: string,
): Found {
  const nextRefreshAt = { $lte: new Date(before), ...(after && { $gte: new Date(after.nextRefreshAt) }) }
  const beyond = after && [{ nextRefreshAt: { $gt: new Date(after.nextRefreshAt) } }, { _id: { $gt: toId(after.id) } }]
  return accounts
    .find({ platform, status, nextRefreshAt, ...(beyond && { $or: beyond }) } as mongo.Filter<StoredDocument>)
    .sort({ nextRefreshAt: 1, _id: 1 })
    .limit(limit)
}

export function findPagesDue(
  accounts: StoredCollection,
  { at, after, limit }: Omit<PagesDueQuery, 'platforms'>,
  platform: Platform,
): Found {
  const pagesDueAt = { $lte: new Date(at), $gte: new Date(after?.pagesDueAt ?? 0) }
  const beyond = after && [{ pagesDueAt: { $gt: new Date(after.pagesDueAt) } }, { _id: { $gt: toId(after.id) } }]
  return accounts
    .find({ platform, status: 'active', pagesDueAt, ...(beyond && { $or: beyond }) } as mongo.Filter<StoredDocument>)
    .sort({ pagesDueAt: 1, _id: 1 })
    .limit(limit)
}

type EndField = 'diesAt' | 'dataAccessExpiresAt'

/** Those of one platform whose end is that field, so that the index on it is in order. The two kinds exclude each other. */
export function findExpiring(
  accounts: StoredCollection,
  { from, before, after, limit }: Omit<ExpiringQuery, 'platforms'>,
  platform: Platform,
  field: EndField,
): Found {
  const [other, isSooner] =
    field === 'diesAt'
      ? ['dataAccessExpiresAt', { $lte: ['$diesAt', '$dataAccessExpiresAt'] }]
      : ['diesAt', { $lt: ['$dataAccessExpiresAt', '$diesAt'] }]
  const isEnd = { $or: [{ [other]: null }, { $expr: isSooner }] }
  const beyond = after && {
    $or: [{ [field]: { $gt: new Date(after.endsAt) } }, { _id: { $gt: toId(after.id) } }],
  }
  const start = new Date(Math.max(from, after?.endsAt ?? 0))
  const filter = {
    platform,
    [field]: { $gte: start, $lt: new Date(before) },
    status: { $ne: 'removing' },
    $and: beyond ? [isEnd, beyond] : [isEnd],
  }
  return accounts
    .find(filter as mongo.Filter<StoredDocument>)
    .sort({ [field]: 1, _id: 1 })
    .limit(limit)
}

export function findStale(accounts: StoredCollection, now: number, limit: number): Found {
  return accounts
    .find({ takeoverAt: { $gte: new Date(0), $lte: new Date(now) } })
    .sort({ takeoverAt: 1, _id: 1 })
    .limit(limit)
}

export function findWithOutbox(accounts: StoredCollection, afterId: string | null, limit: number): Found {
  return accounts
    .find({ outboxId: { $gt: afterId === null ? LEAST_ID : toId(afterId) } })
    .sort({ outboxId: 1 })
    .limit(limit)
}

function filterOf({
  platform,
  platformIn,
  statusIn,
  ownerId,
  afterId,
}: Partial<ListQuery>): mongo.Filter<StoredDocument> {
  return {
    ...(platform !== undefined && { platform }),
    ...(platformIn !== undefined && { $and: [{ platform: { $in: [...platformIn] } }] }),
    ...(statusIn !== undefined && { status: { $in: [...statusIn] } }),
    ...(ownerId !== undefined && { ownerId }),
    ...(afterId !== undefined && afterId !== null && { _id: { $gt: toId(afterId) } }),
  }
}

/** Pages walk the ids: through the index on status each page would read and sort all that matches. */
export function findListed(accounts: StoredCollection, query: ListQuery): Found {
  const cursor = accounts.find(filterOf(query)).sort({ _id: 1 }).limit(query.limit)
  return cursor.hint(query.ownerId === undefined ? '_id_' : 'login')
}

export function createAccountStore(connection: Connection, hook: Hook): AccountStore {
  const collection = connection.collection('accounts')
  const insert = createInserts(collection)
  const update = createUpdates(collection, { lastStages: [INDEXED_FIELDS_STAGE], hook })

  async function find(accounts: StoredCollection, filter: mongo.Filter<StoredDocument>) {
    const document = await accounts.findOne(filter)
    return document && codec.fromDocument(document)
  }

  return {
    insert: (account) =>
      collection.run(async () => {
        const present = await insert([toAccountDocument(account)])
        if (present.length > 0) throw new CodedError('ACCOUNT_EXISTS')
      }),
    get: (id) => collection.run((accounts) => find(accounts, { _id: toId(id) })),
    getMany: (ids) =>
      collection.run(async (accounts) => {
        const documents = await accounts.find({ _id: { $in: ids.map(toId) } }).toArray()
        return documents.map(codec.fromDocument)
      }),
    findByLogin: ({ ownerId, platform, providerAppId, externalId }) =>
      collection.run((accounts) => find(accounts, { ownerId, platform, providerAppId, externalId })),
    write: ({ accountId, name, when, change }) =>
      collection.run(() => update({ id: accountId, name, terms: conditionTerms(when), fields: changedFields(change) })),
    due: ({ statusIn, ...query }) =>
      collection.run(async (accounts) => {
        const statuses = [...new Set(statusIn)]
        const found = await Promise.all(statuses.map((status) => toDueAccounts(findDue(accounts, query, status))))
        return mergeInOrder(found, ({ nextRefreshAt }) => nextRefreshAt, query.limit)
      }),
    pagesDue: ({ platforms, ...query }) =>
      collection.run(async (accounts) => {
        const found = await Promise.all(
          [...new Set(platforms)].map(async (platform) => {
            const cursor = findPagesDue(accounts, query, platform).project({ ...DUE_FIELDS, pagesDueAt: 1 })
            const documents = await cursor.toArray()
            return documents.map(codec.fromDocument).map((it) => ({ ...toDueAccount(it), pagesDueAt: it.pagesDueAt! }))
          }),
        )
        return mergeInOrder(found, ({ pagesDueAt }) => pagesDueAt, query.limit)
      }),
    stale: ({ now, limit }) => collection.run((accounts) => toDueAccounts(findStale(accounts, now, limit))),
    withOutbox: ({ afterId, limit }) =>
      collection.run(async (accounts) => {
        const documents = await findWithOutbox(accounts, afterId, limit)
          .project<{ outboxId: mongo.ObjectId }>({ _id: 0, outboxId: 1 })
          .toArray()
        return documents.map(({ outboxId }) => outboxId.toHexString())
      }),
    expiring: ({ platforms, ...query }) =>
      collection.run(async (accounts) => {
        const fields = ['diesAt', 'dataAccessExpiresAt'] as const
        const arms = [...new Set(platforms)].flatMap((platform) => fields.map((field) => [platform, field] as const))
        const found = await Promise.all(
          arms.map(async ([platform, field]) =>
            (await findExpiring(accounts, query, platform, field).toArray()).map(codec.fromDocument),
          ),
        )
        return mergeInOrder(found, (account) => endOf(account)!.at, query.limit)
      }),
    list: (query) =>
      collection.run(async (accounts) => (await findListed(accounts, query).toArray()).map(codec.fromDocument)),
    count: (query) => collection.run((accounts) => accounts.countDocuments(filterOf(query))),
    pull: (id, itemIds) =>
      collection.run(async (accounts) => {
        if (await update({ id, name: null, terms: [], fields: pulledFields(itemIds) })) return true
        // Not known to have matched: then it did, and was overwritten since, or there is no account.
        return (await accounts.findOne({ _id: toId(id) }, { projection: { _id: 1 } })) !== null
      }),
    deleteRemoved: (id) =>
      collection.run(async (accounts) => {
        const { deletedCount } = await accounts.deleteOne({ _id: toId(id), status: 'removing', outbox: [] })
        return deletedCount > 0
      }),
    isShared: ({ id, platform, providerAppId, externalId }) =>
      collection.run(async (accounts) => {
        const others = { _id: { $ne: toId(id) }, status: { $ne: 'removing' } }
        const filter = { platform, providerAppId, externalId, ...others }
        return (await accounts.findOne(filter, { projection: { _id: 1 } })) !== null
      }),
    countKeys: () => collection.run((accounts) => accounts.aggregate<AccountKeyCounts>(KEY_STAGES).toArray()),
  }
}

async function toDueAccounts(cursor: Found): Promise<DueAccount[]> {
  const documents = await cursor.project(DUE_FIELDS).toArray()
  return documents.map(codec.fromDocument).map(toDueAccount)
}

function toDueAccount({ id, platform, serviceUrl, nextRefreshAt, diesAt }: Account): DueAccount {
  return { id, platform, serviceUrl, nextRefreshAt, diesAt }
}

function mergeInOrder<T extends { readonly id: string }>(
  found: readonly T[][],
  timeOf: (account: T) => number,
  limit: number,
): T[] {
  const inOrder = (a: T, b: T) => timeOf(a) - timeOf(b) || (a.id < b.id ? -1 : 1)
  return found.flat().toSorted(inOrder).slice(0, limit)
}
