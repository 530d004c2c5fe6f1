import type { Schedule, ScheduleStore } from '../store.ts'
import { createCodec, toId } from './codec.ts'
import type { Connection } from './connection.ts'
import { createInserts } from './inserts.ts'
import { scheduleSchema } from './schemas.ts'

export function createScheduleStore(connection: Connection): ScheduleStore {
  const collection = connection.collection('schedules')
  const codec = createCodec<Schedule>(scheduleSchema)
  const insert = createInserts(collection)

  return {
    insert: (schedule) => collection.run(async () => (await insert([codec.toDocument(schedule)])).length === 0),
    get: (id) =>
      collection.run(async (schedules) => {
        const document = await schedules.findOne({ _id: toId(id) })
        return document && codec.fromDocument(document)
      }),
    list: () =>
      collection.run(async (schedules) => (await schedules.find().sort({ _id: 1 }).toArray()).map(codec.fromDocument)),
    update: (from, to) =>
      collection.run(async (schedules) => {
        const { matchedCount } = await schedules.replaceOne(codec.toDocument(from), codec.toDocument(to))
        return matchedCount > 0
      }),
    remove: (schedule) =>
      collection.run(async (schedules) => {
        const { deletedCount } = await schedules.deleteOne(codec.toDocument(schedule))
        return deletedCount > 0
      }),
  }
}
