import type { LogStore } from '../store.ts'
import { allOf } from './clause.ts'
import type { Connection } from './connection.ts'
import { logTable as table } from './rows.ts'
import { createScan } from './scan.ts'

/** How much an outcome says of its attempt: `refreshed` over the attempt's own verdict over what others said of it. */
const rank = (outcome: string) => `CASE ${outcome} WHEN 'refreshed' THEN 2
  WHEN 'interrupted' THEN 0 WHEN 'superseded' THEN 0 WHEN 'removed' THEN 0 ELSE 1 END`

const PUT_SQL = `${table.upsertSql}
  WHERE ${rank('excluded.outcome')} > ${rank('refresh_log.outcome')}`

export function createLogStore(connection: Connection): LogStore {
  return {
    ...createScan(connection, table),
    async put(entries) {
      if (entries.length > 0) await connection.write({ sql: PUT_SQL, params: entries.map(table.toParams) })
    },
    async get(id) {
      const row = await connection.row(`SELECT ${table.selection} FROM refresh_log WHERE id = ?`, id)
      return row ? table.fromRow(row) : null
    },
    async list({ accountId, success, limit }) {
      const where = allOf({
        'account_id = ?': accountId,
        'success = ?': success === undefined ? success : Number(success),
      })
      const sql = `SELECT ${table.selection} FROM refresh_log WHERE ${where.sql}
        ORDER BY refreshed_at DESC, id DESC LIMIT ?`
      return (await connection.rows(sql, ...where.params, limit)).map(table.fromRow)
    },
    async removeAccount(accountId) {
      await connection.write({ sql: 'DELETE FROM refresh_log WHERE account_id = ?', params: [[accountId]] })
    },
  }
}
