import type { Prunable } from '../store.ts'
import type { Connection } from './connection.ts'

/** What is NULL there is never older. Exported for the test of its plan. */
export function pruneSql(table: string, time: string): string {
  const oldest = `SELECT id FROM ${table} WHERE ${time} < ? ORDER BY ${time}, id LIMIT ?`
  return `DELETE FROM ${table} WHERE id IN (${oldest})`
}

export function createPrune(connection: Connection, table: string, time: string): Prunable {
  const sql = pruneSql(table, time)
  return { prune: ({ before, limit }) => connection.write({ sql, params: [[before, limit]] }) }
}
