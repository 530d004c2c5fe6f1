import type { mongo } from 'mongoose'
import type { Run, RunStore } from '../store.ts'
import { createCodec, type Found, type StoredCollection, type StoredDocument, toId } from './codec.ts'
import type { Connection } from './connection.ts'
import { findNewest } from './entries.ts'
import { createInserts } from './inserts.ts'
import { createPrune } from './prune.ts'
import { createScan } from './scan.ts'
import { runSchema } from './schemas.ts'

export function findLatest(runs: StoredCollection, scheduleId: string): Found {
  return findNewest(runs, 'createdAt', { scheduleId }, 1)
}

export function findUnfinished(runs: StoredCollection, limit: number): Found {
  return runs.find({ finishedAt: null }).sort({ createdAt: 1, _id: 1 }).limit(limit)
}

export function createRunStore(connection: Connection): RunStore {
  const collection = connection.collection('runs')
  const codec = createCodec<Run>(runSchema)
  const insert = createInserts(collection)

  async function find(runs: StoredCollection, filter: mongo.Filter<StoredDocument>): Promise<Run | null> {
    const document = await runs.findOne(filter)
    return document && codec.fromDocument(document)
  }

  return {
    ...createScan(collection, codec),
    ...createPrune(collection, 'finishedAt'),
    insert: (run) =>
      collection.run(async (runs) => {
        const present = await insert([codec.toDocument(run)])
        if (present.length === 0) return run
        return (await find(runs, { scheduleId: run.scheduleId, occurrence: run.occurrence })) ?? run
      }),
    get: (id) => collection.run((runs) => find(runs, { _id: toId(id) })),
    latest: (scheduleId) =>
      collection.run(async (runs) => {
        const document = await findLatest(runs, scheduleId).next()
        return document && codec.fromDocument(document)
      }),
    unfinished: (limit) =>
      collection.run(async (runs) => {
        const documents = await findUnfinished(runs, limit).toArray()
        return documents.map(codec.fromDocument)
      }),
    beginWindow: (id, from, window) =>
      collection.run(async (runs) => {
        const open = { _id: toId(id), cursor: from, window: null, finishedAt: null }
        const { matchedCount } = await runs.updateOne(open, { $set: { window } })
        return matchedCount > 0
      }),
    advance: (id, from, { cursor, totals, finishedAt }) =>
      collection.run(async (runs) => {
        const $set = { cursor, totals, finishedAt: codec.encode('finishedAt', finishedAt), window: null }
        const { matchedCount } = await runs.updateOne({ _id: toId(id), cursor: from }, { $set })
        return matchedCount > 0
      }),
  }
}
