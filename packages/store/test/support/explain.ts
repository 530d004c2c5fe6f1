import type { mongo } from 'mongoose'

interface Plan {
  /** The indexes that are read. */
  readonly indexes: readonly string[]
  readonly scansAll: boolean
  readonly sorts: boolean
}

/** What a server does for a query, be it MongoDB (`stage`) or DocumentDB on PostgreSQL (`Node Type`). */
export function planOf(explained: mongo.BSON.Document): Plan {
  const steps = [...stepsIn(explained.queryPlanner?.winningPlan ?? explained)]
  const kindOf = (step: mongo.BSON.Document) => String(step.stage ?? step['Node Type'])
  return {
    indexes: steps.flatMap((step) => (/IXSCAN|Index/.test(kindOf(step)) ? [step.indexName ?? step['Index Name']] : [])),
    scansAll: steps.some((step) => /COLLSCAN|Seq Scan/.test(kindOf(step))),
    sorts: steps.some((step) => /^SORT$|^Sort$/.test(kindOf(step))),
  }
}

export function isDocumentDb(explained: mongo.BSON.Document): boolean {
  return explained.serverInfo?.ferretdb !== undefined
}

function* stepsIn(value: unknown): Generator<mongo.BSON.Document> {
  if (typeof value !== 'object' || value === null) return
  if ('stage' in value || 'Node Type' in value) yield value
  for (const part of Object.values(value)) yield* stepsIn(part)
}
