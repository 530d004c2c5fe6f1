import type { Scannable } from '../store.ts'
import { type Clause, IN_LIST } from './clause.ts'
import type { Connection } from './connection.ts'
import type { Table } from './rows.ts'

/** Exported for the test of its plan. */
export function scanClause<T>({ name, selection }: Table<T>, afterId: string | null, limit: number): Clause {
  const sql = `SELECT ${selection} FROM ${name} WHERE id > ? ORDER BY id LIMIT ?`
  return { sql, params: [afterId ?? '', limit] }
}

export function createScan<T>({ rows }: Connection, table: Table<T>): Scannable<T> {
  return {
    async scan({ afterId, limit }) {
      const { sql, params } = scanClause(table, afterId, limit)
      return (await rows(sql, ...params)).map(table.fromRow)
    },
    async getMany(ids) {
      const sql = `SELECT ${table.selection} FROM ${table.name} WHERE id IN ${IN_LIST}`
      return (await rows(sql, JSON.stringify(ids))).map(table.fromRow)
    },
  }
}
