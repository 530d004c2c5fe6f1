import type { EntryStore } from '../store.ts'
import { allOf } from './clause.ts'
import type { Connection } from './connection.ts'
import { createPrune } from './prune.ts'
import type { Table } from './rows.ts'
import { createScan } from './scan.ts'

/** Entries that are written once and never change: events and audit. */
export function createEntryStore<T>(connection: Connection, table: Table<T>): EntryStore<T> {
  const insertSql = `${table.insertSql} ON CONFLICT DO NOTHING`
  return {
    ...createScan(connection, table),
    ...createPrune(connection, table.name, 'at'),
    async insert(entries) {
      if (entries.length > 0) await connection.write({ sql: insertSql, params: entries.map(table.toParams) })
    },
    async list({ accountId, limit }) {
      const where = allOf({ 'account_id = ?': accountId })
      const sql = `SELECT ${table.selection} FROM ${table.name} WHERE ${where.sql} ORDER BY at DESC, id DESC LIMIT ?`
      return (await connection.rows(sql, ...where.params, limit)).map(table.fromRow)
    },
  }
}
