import type { Condition } from '../write.ts'
import { allOf, type Clause, IN_LIST, list } from './clause.ts'

/** The condition as the terms of a WHERE clause. */
export function conditionClause(when: Condition): Clause {
  return allOf({
    'generation = ?': when.generation,
    'generation < ?': when.generationBelow,
    "attempt ->> '$.id' IS ?": when.attemptId,
    "attempt ->> '$.state' = ?": when.attemptState,
    "attempt ->> '$.leaseUntil' = ?": when.attemptLeaseUntil,
    [`status IN ${IN_LIST}`]: list(when.statusIn),
    'status <> ?': when.statusNot,
    'connect_id = ?': when.connectId,
    'connect_id <> ?': when.connectIdNot,
    'sealed_credential = ?': when.sealedCredential,
    'previous_credential IS ?': when.previousCredential,
  })
}
