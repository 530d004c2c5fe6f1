import type { HaltStore } from '../store.ts'
import { deleteAsRead, replaceAsRead } from './as-read.ts'
import type { Connection } from './connection.ts'
import { haltTable as table } from './rows.ts'

const SELECT = `SELECT ${table.selection} FROM halts`
const INSERT_SQL = `${table.insertSql} ON CONFLICT DO NOTHING`

export function createHaltStore(connection: Connection): HaltStore {
  return {
    insert: async (halt) => (await connection.write({ sql: INSERT_SQL, params: [table.toParams(halt)] })) > 0,
    async get(id) {
      const row = await connection.row(`${SELECT} WHERE id = ?`, id)
      return row ? table.fromRow(row) : null
    },
    list: async () => (await connection.rows(`${SELECT} ORDER BY since, id`)).map(table.fromRow),
    update: async (from, to) => (await connection.write(replaceAsRead(table, from, to))) > 0,
    remove: async (halt) => (await connection.write(deleteAsRead(table, halt))) > 0,
  }
}
