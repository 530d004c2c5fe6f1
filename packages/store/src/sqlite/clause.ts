import type { SQLInputValue } from 'node:sqlite'

/** A piece of SQL and the values of its placeholders, in order. */
export interface Clause {
  readonly sql: string
  readonly params: readonly SQLInputValue[]
}

/** Joins the terms whose value is given; `TRUE` if none is. */
export function allOf(terms: Readonly<Record<string, SQLInputValue | undefined>>): Clause {
  const given = Object.entries(terms).filter((term): term is [string, SQLInputValue] => term[1] !== undefined)
  return { sql: given.map(([sql]) => sql).join(' AND ') || 'TRUE', params: given.map(([, value]) => value) }
}

/** For a term `… IN ${IN_LIST}`: one placeholder whatever the length, so that the SQL text stays the same. */
export const IN_LIST = '(SELECT value FROM json_each(?))'

export function list(values: readonly string[] | undefined): string | undefined {
  return values && JSON.stringify(values)
}
