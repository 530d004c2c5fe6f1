import type { Statement } from './connection.ts'
import type { Table } from './rows.ts'

/** Puts one entity in the place of another, only if that one is still exactly as it was read. */
export function replaceAsRead<T>(table: Table<T>, from: T, to: T): Statement {
  const assignments = table.columns.map((column) => `${column} = ?`).join(', ')
  return {
    sql: `UPDATE ${table.name} SET ${assignments} WHERE ${sameAs(table)}`,
    params: [[...table.toParams(to), ...table.toParams(from)]],
  }
}

export function deleteAsRead<T>(table: Table<T>, entity: T): Statement {
  return { sql: `DELETE FROM ${table.name} WHERE ${sameAs(table)}`, params: [table.toParams(entity)] }
}

function sameAs<T>({ columns }: Table<T>): string {
  return columns.map((column) => `${column} IS ?`).join(' AND ')
}
