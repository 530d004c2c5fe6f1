import type { Run, RunStore } from '../store.ts'
import type { Connection } from './connection.ts'
import { createPageStore } from './pages.ts'
import { type Row, runTable as table } from './rows.ts'

const SELECT = `SELECT ${table.selection} FROM runs`
const INSERT_SQL = `${table.insertSql} ON CONFLICT DO NOTHING`
/** Exported for the test of its plan. */
export const LATEST_SQL = `${SELECT} WHERE schedule_id = ? ORDER BY created_at DESC, id DESC LIMIT 1`
const ADVANCE_SQL = 'UPDATE runs SET cursor = ?, totals = ?, finished_at = ? WHERE id = ? AND cursor IS ?'

export function createRunStore(connection: Connection): RunStore {
  const toRun = (row: Row | undefined): Run | null => (row ? table.fromRow(row) : null)

  return {
    ...createPageStore(connection, table),
    async insert(run) {
      await connection.write({ sql: INSERT_SQL, params: [table.toParams(run)] })
      const sql = `${SELECT} WHERE schedule_id = ? AND occurrence = ?`
      return toRun(await connection.row(sql, run.scheduleId, run.occurrence)) ?? run
    },
    get: async (id) => toRun(await connection.row(`${SELECT} WHERE id = ?`, id)),
    latest: async (scheduleId) => toRun(await connection.row(LATEST_SQL, scheduleId)),
    unfinished: async (limit) => {
      const sql = `${SELECT} WHERE finished_at IS NULL ORDER BY created_at, id LIMIT ?`
      return (await connection.rows(sql, limit)).map(table.fromRow)
    },
    async advance(id, from, to) {
      const params = [to.cursor, table.encode('totals', to.totals), to.finishedAt, id, from]
      return (await connection.write({ sql: ADVANCE_SQL, params: [params] })) > 0
    },
  }
}
