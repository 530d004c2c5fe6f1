import type { SQLInputValue } from 'node:sqlite'
import type { AccountWrite, Change, Settable } from '../write.ts'
import { conditionTerms } from './condition.ts'
import type { Statement } from './connection.ts'
import { accountTable } from './rows.ts'

/**
 * The change as the assignments of an UPDATE, whose values go to `params`; expressions on the right see the row as it
 * was. Two of these are built for each refresh, so nothing is made that is not needed.
 */
function assignments({ set, leaseUntil, status, keepPrevious, tell }: Change, params: SQLInputValue[]): string {
  const terms: string[] = []
  for (const name in set) {
    const field = name as keyof Settable
    const value = set[field]
    if (value === undefined) continue
    terms.push(`${accountTable.column(field)} = ?`)
    params.push(accountTable.encode(field, value))
  }
  if (leaseUntil !== undefined) {
    terms.push(`attempt = json_set(attempt, '$.leaseUntil', ?)`)
    params.push(leaseUntil)
  }
  const moves = Object.entries(status ?? {})
  if (moves.length > 0) {
    terms.push(`status = CASE status${' WHEN ? THEN ?'.repeat(moves.length)} ELSE status END`)
    params.push(...moves.flat())
  }
  if (keepPrevious) terms.push('previous_credential = sealed_credential, previous_key_id = key_id')
  if (tell && tell.length > 0) {
    terms.push(`outbox = json_insert(outbox${`, '$[#]', json(?)`.repeat(tell.length)})`)
    params.push(...tell.map((item) => JSON.stringify(item)))
  }
  return terms.join(', ')
}

/** The compare-and-set as one UPDATE. Writes of one shape give the same SQL text, so their statement is prepared once. */
export function updateStatement({ accountId, when, change }: AccountWrite): Statement {
  const params: SQLInputValue[] = []
  const set = assignments(change, params) || 'id = id'
  params.push(accountId)
  return { sql: `UPDATE accounts SET ${set} WHERE id = ?${conditionTerms(when, params)}`, params: [params] }
}
