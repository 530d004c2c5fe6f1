import { CodedError, type Hook } from '@tokenkeeper/core'
import type { mongo } from 'mongoose'
import type { AccountStore, DueAccount, DueQuery, ListQuery } from '../store.ts'
import { createAccountUpdates } from './account-updates.ts'
import { changedFields, accountCodec as codec, pulledFields, toAccountDocument } from './change.ts'
import { type Found, LEAST_ID, type StoredCollection, type StoredDocument, toId } from './codec.ts'
import { conditionTerms } from './condition.ts'
import type { Connection } from './connection.ts'
import { createInserts } from './inserts.ts'

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

function filterOf({ platform, statusIn, ownerId, afterId }: Partial<ListQuery>): mongo.Filter<StoredDocument> {
  return {
    ...(platform !== undefined && { platform }),
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
  const update = createAccountUpdates(collection, hook)

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
      collection.run(() => update({ accountId, name, terms: conditionTerms(when), fields: changedFields(change) })),
    due: ({ statusIn, ...query }) =>
      collection.run(async (accounts) => {
        const statuses = [...new Set(statusIn)]
        const found = await Promise.all(statuses.map((status) => toDueAccounts(findDue(accounts, query, status))))
        const inOrder = (a: DueAccount, b: DueAccount) => a.nextRefreshAt - b.nextRefreshAt || (a.id < b.id ? -1 : 1)
        return found.flat().toSorted(inOrder).slice(0, query.limit)
      }),
    stale: ({ now, limit }) => collection.run((accounts) => toDueAccounts(findStale(accounts, now, limit))),
    withOutbox: ({ afterId, limit }) =>
      collection.run(async (accounts) => {
        const documents = await findWithOutbox(accounts, afterId, limit)
          .project<{ outboxId: mongo.ObjectId }>({ _id: 0, outboxId: 1 })
          .toArray()
        return documents.map(({ outboxId }) => outboxId.toHexString())
      }),
    list: (query) =>
      collection.run(async (accounts) => (await findListed(accounts, query).toArray()).map(codec.fromDocument)),
    count: (query) => collection.run((accounts) => accounts.countDocuments(filterOf(query))),
    async pull(id, itemIds) {
      await collection.run(() => update({ accountId: id, name: null, terms: [], fields: pulledFields(itemIds) }))
    },
    deleteRemoved: (id) =>
      collection.run(async (accounts) => {
        const { deletedCount } = await accounts.deleteOne({ _id: toId(id), status: 'removing', outbox: [] })
        return deletedCount > 0
      }),
    usesKey: (keyId) =>
      collection.run(async (accounts) => {
        const holders = ['keyId', 'previousKeyId', 'appPasswordKeyId'].map((field) => ({ [field]: keyId }))
        return (await accounts.findOne({ $or: holders }, { projection: { _id: 1 } })) !== null
      }),
  }
}

async function toDueAccounts(cursor: Found): Promise<DueAccount[]> {
  const documents = await cursor.project(DUE_FIELDS).toArray()
  return documents.map((document) => {
    const { id, platform, serviceUrl, nextRefreshAt, diesAt } = codec.fromDocument(document)
    return { id, platform, serviceUrl, nextRefreshAt, diesAt }
  })
}
