import type { LogStats, RefreshCount } from '../reports.ts'
import type { LogStore } from '../store.ts'
import { allOf } from './clause.ts'
import type { Connection } from './connection.ts'
import { createPrune } from './prune.ts'
import { logTable as table } from './rows.ts'
import { createScan } from './scan.ts'

/** How much an outcome says of its attempt: `refreshed` over the attempt's own verdict over what others said of it. */
const rank = (outcome: string) => `CASE ${outcome} WHEN 'refreshed' THEN 2
  WHEN 'interrupted' THEN 0 WHEN 'superseded' THEN 0 WHEN 'removed' THEN 0 ELSE 1 END`

const PUT_SQL = `${table.upsertSql}
  WHERE ${rank('excluded.outcome')} > ${rank('refresh_log.outcome')}`

export const COUNTS_SQL = `SELECT refresh_type AS refreshType, page_id IS NOT NULL AS ofPages, count(*) AS total,
    sum(success) AS successful
  FROM refresh_log WHERE refreshed_at >= ? GROUP BY 1, 2 ORDER BY 1, 2`

export const FAILURES_SQL = `SELECT outcome, error_code AS errorCode, count(*) AS count, max(refreshed_at) AS lastAt
  FROM refresh_log WHERE success = 0 AND refreshed_at >= ? GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT ?`

export function createLogStore(connection: Connection): LogStore {
  return {
    ...createScan(connection, table),
    ...createPrune(connection, table.name, 'refreshed_at'),
    async put(entries) {
      if (entries.length > 0) await connection.write({ sql: PUT_SQL, params: entries.map(table.toParams) })
    },
    async get(id) {
      const row = await connection.row(`SELECT ${table.selection} FROM refresh_log WHERE id = ?`, id)
      return row ? table.fromRow(row) : null
    },
    async list({ accountId, pageId, success, limit }) {
      const where = allOf({
        'account_id = ?': accountId,
        'page_id IS ?': pageId,
        'success = ?': success === undefined ? success : Number(success),
      })
      const sql = `SELECT ${table.selection} FROM refresh_log WHERE ${where.sql}
        ORDER BY refreshed_at DESC, id DESC LIMIT ?`
      return (await connection.rows(sql, ...where.params, limit)).map(table.fromRow)
    },
    async stats({ since, topFailures }) {
      const counts = await connection.rows(COUNTS_SQL, since)
      return {
        counts: counts.map((row) => ({ ...row, ofPages: row.ofPages === 1 }) as unknown as RefreshCount),
        failures: (await connection.rows(FAILURES_SQL, since, topFailures)) as unknown as LogStats['failures'],
      }
    },
    async removeAccount(accountId) {
      await connection.write({ sql: 'DELETE FROM refresh_log WHERE account_id = ?', params: [[accountId]] })
    },
  }
}
