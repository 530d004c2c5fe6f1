import type { Page } from '@tokenkeeper/core'
import type { mongo } from 'mongoose'
import type { ExpiringPagesQuery } from '../reports.ts'
import type { AccountPageStore, PageKeyCounts } from '../store.ts'
import { literal } from './change.ts'
import { createCodec, type Found, type StoredCollection, type StoredDocument, toId } from './codec.ts'
import type { Connection } from './connection.ts'
import { createInserts } from './inserts.ts'
import { createScan } from './scan.ts'
import { pageSchema } from './schemas.ts'
import { createUpdates } from './updates.ts'

/** Those of one account are few enough to be sorted. */
export function findOfAccount(
  pages: StoredCollection,
  accountId: string,
  { afterId, limit }: { readonly afterId: string | null; readonly limit: number },
): Found {
  const filter = { accountId: toId(accountId), ...(afterId !== null && { _id: { $gt: toId(afterId) } }) }
  return pages
    .find(filter as mongo.Filter<StoredDocument>)
    .sort({ _id: 1 })
    .hint('account')
    .limit(limit)
}

export function findExpiringPages(pages: StoredCollection, { from, before, after, limit }: ExpiringPagesQuery): Found {
  const start = new Date(Math.max(from, after?.tokenExpiresAt ?? 0))
  const beyond = after && {
    $or: [{ tokenExpiresAt: { $gt: new Date(after.tokenExpiresAt) } }, { _id: { $gt: toId(after.id) } }],
  }
  return pages
    .find({ tokenExpiresAt: { $gte: start, $lt: new Date(before) }, ...beyond } as mongo.Filter<StoredDocument>)
    .sort({ tokenExpiresAt: 1, _id: 1 })
    .limit(limit)
}

/** Was the one that is there not listed later than this one? */
function listedNoLater({ parentGeneration, refreshedAt }: StoredDocument): mongo.BSON.Document {
  const noLater = [{ refreshedAt: null }, { refreshedAt: { $lte: refreshedAt } }]
  return { $or: [{ parentGeneration: { $lt: parentGeneration } }, { parentGeneration, $or: noLater }] }
}

export function createAccountPageStore(connection: Connection): AccountPageStore {
  const collection = connection.collection('account_pages')
  const codec = createCodec<Page>(pageSchema)
  const insert = createInserts(collection)
  const update = createUpdates(collection)

  function replace({ _id, ...fields }: StoredDocument, term: mongo.BSON.Document): Promise<boolean> {
    const values = Object.entries(fields).map(([field, value]) => [field, literal(value)])
    return update({ id: String(_id), name: null, terms: [term], fields: Object.fromEntries(values) })
  }

  /** Those that did not land. */
  async function replaceListed(documents: readonly StoredDocument[]): Promise<StoredDocument[]> {
    const landed = await Promise.all(documents.map((document) => replace(document, listedNoLater(document))))
    return documents.filter((_, i) => !landed[i])
  }

  return {
    ...createScan(collection, codec),
    put: (pages) =>
      collection.run(async () => {
        const documents = pages.map(codec.toDocument)
        // One that is not there is inserted; it may have come to be there meanwhile.
        const left = new Set(await replaceListed(await insert(await replaceListed(documents))))
        return idsOf(pages.filter((_, i) => !left.has(documents[i]!)))
      }),
    update: (changes) =>
      collection.run(async () => {
        const landed = await Promise.all(
          changes.map(({ from, to }) => replace(codec.toDocument(to), codec.toDocument(from))),
        )
        return idsOf(changes.flatMap(({ to }, i) => (landed[i] ? [to] : [])))
      }),
    get: (id) =>
      collection.run(async (pages) => {
        const document = await pages.findOne({ _id: toId(id) })
        return document && codec.fromDocument(document)
      }),
    ofAccount: (accountId, query) =>
      collection.run(async (pages) => (await findOfAccount(pages, accountId, query).toArray()).map(codec.fromDocument)),
    expiring: (query) =>
      collection.run(async (pages) => (await findExpiringPages(pages, query).toArray()).map(codec.fromDocument)),
    async removeAccount(accountId) {
      await collection.run((pages) => pages.deleteMany({ accountId: toId(accountId) }))
    },
    countKeys: () =>
      collection.run((pages) =>
        pages
          .aggregate<PageKeyCounts>([
            { $match: { keyId: { $gt: '' } } },
            { $group: { _id: '$keyId', pages: { $sum: 1 } } },
            { $sort: { _id: 1 } },
            { $project: { _id: 0, keyId: '$_id', pages: 1 } },
          ])
          .toArray(),
      ),
  }
}

function idsOf(pages: readonly Page[]): Set<string> {
  return new Set(pages.map(({ id }) => id))
}
