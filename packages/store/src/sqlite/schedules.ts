import type { ScheduleStore } from '../store.ts'
import { deleteAsRead, replaceAsRead } from './as-read.ts'
import type { Connection } from './connection.ts'
import { scheduleTable as table } from './rows.ts'

const SELECT = `SELECT ${table.selection} FROM schedules`
const INSERT_SQL = `${table.insertSql} ON CONFLICT DO NOTHING`

export function createScheduleStore(connection: Connection): ScheduleStore {
  return {
    insert: async (schedule) => (await connection.write({ sql: INSERT_SQL, params: [table.toParams(schedule)] })) > 0,
    async get(id) {
      const row = await connection.row(`${SELECT} WHERE id = ?`, id)
      return row ? table.fromRow(row) : null
    },
    list: async () => (await connection.rows(`${SELECT} ORDER BY id`)).map(table.fromRow),
    update: async (from, to) => (await connection.write(replaceAsRead(table, from, to))) > 0,
    remove: async (schedule) => (await connection.write(deleteAsRead(table, schedule))) > 0,
  }
}
