import type { Run, RunStore } from '../store.ts'
import type { Connection } from './connection.ts'
import { createPrune } from './prune.ts'
import { type Row, runTable as table } from './rows.ts'
import { createScan } from './scan.ts'

const SELECT = `SELECT ${table.selection} FROM runs`
const INSERT_SQL = `${table.insertSql} ON CONFLICT DO NOTHING`
/** Exported for the test of its plan. */
export const LATEST_SQL = `${SELECT} WHERE schedule_id = ? ORDER BY created_at DESC, id DESC LIMIT 1`
const BEGIN_WINDOW_SQL =
  'UPDATE runs SET window = ? WHERE id = ? AND cursor IS ? AND window IS NULL AND finished_at IS NULL'
const ADVANCE_SQL =
  'UPDATE runs SET cursor = ?, totals = ?, finished_at = ?, window = NULL WHERE id = ? AND cursor IS ?'

export function createRunStore(connection: Connection): RunStore {
  const toRun = (row: Row | undefined): Run | null => (row ? table.fromRow(row) : null)

  return {
    ...createScan(connection, table),
    ...createPrune(connection, table.name, 'finished_at'),
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
    beginWindow: async (id, from, window) =>
      (await connection.write({ sql: BEGIN_WINDOW_SQL, params: [[table.encode('window', window), id, from]] })) > 0,
    async advance(id, from, to) {
      const params = [to.cursor, table.encode('totals', to.totals), to.finishedAt, id, from]
      return (await connection.write({ sql: ADVANCE_SQL, params: [params] })) > 0
    },
  }
}
