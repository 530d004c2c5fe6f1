import type { SQLInputValue } from 'node:sqlite'
import type { Condition } from '../write.ts'
import { IN_LIST } from './clause.ts'

const TERMS: Readonly<Record<keyof Condition, string>> = {
  generation: 'generation = ?',
  generationBelow: 'generation < ?',
  attemptId: "attempt ->> '$.id' IS ?",
  attemptState: "attempt ->> '$.state' = ?",
  attemptLeaseUntil: "attempt ->> '$.leaseUntil' = ?",
  statusIn: `status IN ${IN_LIST}`,
  statusNot: 'status <> ?',
  connectId: 'connect_id = ?',
  connectIdNot: 'connect_id <> ?',
  sealedCredential: 'sealed_credential = ?',
  previousCredential: 'previous_credential IS ?',
  pagesDueAt: 'pages_due_at IS ?',
}

/** The condition as terms of a WHERE clause, each after an AND; their values go to `params`. */
export function conditionTerms(when: Condition, params: SQLInputValue[]): string {
  let sql = ''
  for (const name in when) {
    const value = when[name as keyof Condition]
    if (value === undefined) continue
    sql += ` AND ${TERMS[name as keyof Condition]}`
    params.push(typeof value === 'object' && value !== null ? JSON.stringify(value) : value)
  }
  return sql
}
