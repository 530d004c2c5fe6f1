import type { SQLInputValue } from 'node:sqlite'
import type { AccountWrite, Change, Settable } from '../write.ts'
import type { Clause } from './clause.ts'
import { conditionClause } from './condition.ts'
import type { Statement } from './connection.ts'
import { accountTable } from './rows.ts'

/** The change as the assignments of an UPDATE; expressions on the right see the row as it was. */
function assignments(change: Change): Clause[] {
  const clauses: Clause[] = []
  const add = (sql: string, ...params: SQLInputValue[]) => void clauses.push({ sql, params })
  for (const [name, value] of Object.entries(change.set ?? {})) {
    const field = name as keyof Settable
    if (value !== undefined) add(`${accountTable.column(field)} = ?`, accountTable.encode(field, value))
  }
  if (change.leaseUntil !== undefined) add(`attempt = json_set(attempt, '$.leaseUntil', ?)`, change.leaseUntil)
  if (change.status !== undefined) {
    const moves = Object.entries(change.status)
    if (moves.length > 0)
      add(`status = CASE status${' WHEN ? THEN ?'.repeat(moves.length)} ELSE status END`, ...moves.flat())
  }
  if (change.keepPrevious) add('previous_credential = sealed_credential, previous_key_id = key_id')
  if (change.tell && change.tell.length > 0) {
    const items = change.tell.map((item) => JSON.stringify(item))
    add(`outbox = json_insert(outbox${`, '$[#]', json(?)`.repeat(items.length)})`, ...items)
  }
  return clauses
}

/** The compare-and-set as one UPDATE. Writes of one shape give the same SQL text, so their statement is prepared once. */
export function updateStatement({ accountId, when, change }: AccountWrite): Statement {
  const set = assignments(change)
  const condition = conditionClause(when)
  return {
    sql: `UPDATE accounts SET ${set.map(({ sql }) => sql).join(', ') || 'id = id'} WHERE id = ? AND ${condition.sql}`,
    params: [[...set.flatMap(({ params }) => params), accountId, ...condition.params]],
  }
}
