import type { AttemptOutcome, RefreshLogEntry } from '@tokenkeeper/core'
import type { mongo } from 'mongoose'
import type { LogStats, LogStatsQuery } from '../reports.ts'
import type { LogStore } from '../store.ts'
import { inIdOrder } from './bulk.ts'
import { createCodec, type StoredCollection, type StoredDocument, toId } from './codec.ts'
import type { Connection } from './connection.ts'
import { findNewest } from './entries.ts'
import { createInserts } from './inserts.ts'
import { createPrune } from './prune.ts'
import { createScan } from './scan.ts'
import { logSchema } from './schemas.ts'

/** What others said of an attempt; its own verdict is stronger, and `refreshed` the strongest. */
const WEAKEST: readonly AttemptOutcome[] = ['interrupted', 'superseded', 'removed']

function isWeakerThan(outcome: AttemptOutcome): mongo.BSON.Document {
  if (outcome === 'refreshed') return { $ne: 'refreshed' }
  return { $in: WEAKEST.includes(outcome) ? [] : WEAKEST }
}

/** Each compares and replaces at once, so that their order does not matter. */
async function replaceWeaker(log: StoredCollection, documents: readonly StoredDocument[]): Promise<void> {
  const replacements = documents.map(({ _id, ...replacement }) => ({
    replaceOne: { filter: { _id, outcome: isWeakerThan(replacement.outcome) }, replacement },
  }))
  if (replacements.length > 0)
    await log.bulkWrite(
      inIdOrder(replacements, ({ replaceOne }) => replaceOne.filter._id),
      { ordered: false },
    )
}

export function countRefreshes(log: StoredCollection, since: number): mongo.AggregationCursor<mongo.BSON.Document> {
  const one = { refreshType: '$refreshType', ofPages: { $ne: [{ $ifNull: ['$pageId', null] }, null] } }
  return log.aggregate([
    { $match: { refreshedAt: { $gte: new Date(since) } } },
    { $group: { _id: one, total: { $sum: 1 }, successful: { $sum: { $cond: ['$success', 1, 0] } } } },
    { $sort: { '_id.refreshType': 1, '_id.ofPages': 1 } },
    { $project: { _id: 0, refreshType: '$_id.refreshType', ofPages: '$_id.ofPages', total: 1, successful: 1 } },
  ])
}

export function countFailures(
  log: StoredCollection,
  { since, topFailures }: LogStatsQuery,
): mongo.AggregationCursor<mongo.BSON.Document> {
  const one = { outcome: '$outcome', errorCode: '$errorCode' }
  return log.aggregate([
    { $match: { success: false, refreshedAt: { $gte: new Date(since) } } },
    { $group: { _id: one, count: { $sum: 1 }, lastAt: { $max: '$refreshedAt' } } },
    { $sort: { count: -1, '_id.outcome': 1, '_id.errorCode': 1 } },
    { $limit: topFailures },
    {
      $project: {
        _id: 0,
        outcome: '$_id.outcome',
        errorCode: '$_id.errorCode',
        count: 1,
        lastAt: { $toLong: '$lastAt' },
      },
    },
  ])
}

export function createLogStore(connection: Connection): LogStore {
  const collection = connection.collection('refresh_log')
  const codec = createCodec<RefreshLogEntry>(logSchema)
  const insert = createInserts(collection)

  return {
    ...createScan(collection, codec),
    ...createPrune(collection, 'refreshedAt'),
    async put(entries) {
      if (entries.length > 0)
        await collection.run(async (log) => replaceWeaker(log, await insert(entries.map(codec.toDocument))))
    },
    get: (id) =>
      collection.run(async (log) => {
        const document = await log.findOne({ _id: toId(id) })
        return document && codec.fromDocument(document)
      }),
    list: ({ accountId, pageId, success, limit }) =>
      collection.run(async (log) => {
        const filter = {
          ...(accountId !== undefined && { accountId: toId(accountId) }),
          ...(pageId !== undefined && { pageId }),
          ...(success !== undefined && { success }),
        }
        const cursor = findNewest(log, 'refreshedAt', filter, limit)
        return (await cursor.toArray()).map(codec.fromDocument)
      }),
    stats: (query) =>
      collection.run(async (log) => ({
        counts: (await countRefreshes(log, query.since).toArray()) as unknown as LogStats['counts'],
        failures: (await countFailures(log, query).toArray()) as unknown as LogStats['failures'],
      })),
    async removeAccount(accountId) {
      await collection.run((log) => log.deleteMany({ accountId: toId(accountId) }))
    },
  }
}
