import { isDeepStrictEqual } from 'node:util'
import type { ScheduleStore } from '@tokenkeeper/store'
import { byId } from './entries.ts'
import type { Transport } from './memory-store.ts'

export function createScheduleStore({ read, write }: Transport): ScheduleStore {
  return {
    insert: (schedule) =>
      write({ name: 'schedules.insert' }, ({ schedules }) => {
        if (schedules.has(schedule.id)) return false
        schedules.set(schedule.id, schedule)
        return true
      }),
    get: (id) => read('schedules.get', ({ schedules }) => schedules.get(id) ?? null),
    list: () => read('schedules.list', ({ schedules }) => [...schedules.values()].toSorted(byId)),
    update: (from, to) =>
      write({ name: 'schedules.update' }, ({ schedules }) => {
        if (!isDeepStrictEqual(schedules.get(from.id), from)) return false
        schedules.set(to.id, to)
        return true
      }),
    remove: (schedule) =>
      write({ name: 'schedules.remove' }, ({ schedules }) => {
        return isDeepStrictEqual(schedules.get(schedule.id), schedule) && schedules.delete(schedule.id)
      }),
  }
}
