import { DatabaseSync } from 'node:sqlite'
import type { DueQuery } from '@tokenkeeper/store'
import { findDue } from '@tokenkeeper/store/mongo/accounts'
import { dueClause } from '@tokenkeeper/store/sqlite/accounts'
import { mongo } from 'mongoose'

/**
 * How many rows the store reads to answer the query. Null where the server does not count (DocumentDB). Throws if the
 * plan scans, or reads by another index than the one on due times.
 */
export async function rowsExamined(databaseUrl: string, query: DueQuery): Promise<number | null> {
  const [, path] = /^sqlite:(.*)$/.exec(databaseUrl) ?? []
  return path === undefined ? examinedByMongo(databaseUrl, query) : examinedBySqlite(path, query)
}

/** Counted by a function that stands beside the due time, so that it is called for each row that the index yields. */
function examinedBySqlite(path: string, query: DueQuery): number {
  using db = new DatabaseSync(path)
  let examined = 0
  db.function('examined', () => {
    examined += 1
    return 1
  })
  const { sql, params } = dueClause(query)
  const counting = sql.replaceAll('next_refresh_at <= ?', 'next_refresh_at <= ? AND examined()')
  if (counting === sql) throw new Error('the query has changed: nothing would be counted')
  for (const text of [sql, counting]) {
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...params)
    const reads = steps.map(({ detail }) => String(detail)).filter((step) => /SCAN|SEARCH|TEMP B-TREE/.test(step))
    expectIndex(reads, (step) => step.includes('USING INDEX accounts_due '))
  }
  db.prepare(counting).all(...params)
  return examined
}

async function examinedByMongo(url: string, { statusIn, ...query }: DueQuery): Promise<number | null> {
  const client = new mongo.MongoClient(url)
  try {
    let examined: number | null = 0
    for (const status of statusIn) {
      const explained = await findDue(client.db().collection('accounts'), query, status).explain('executionStats')
      // MongoDB tells stages, DocumentDB the nodes of PostgreSQL's plan.
      const reads = [...stepsIn(explained.queryPlanner)].filter((step) => /SCAN|Scan/.test(step.kind))
      expectIndex(
        reads.flatMap(({ kind, index }) => (kind === 'Custom Scan' ? [] : [`${kind} ${index}`])),
        (step) => /^(IXSCAN|Index Scan) due$/.test(step),
      )
      const documents: number | undefined = explained.executionStats?.totalDocsExamined
      examined = documents === undefined || examined === null ? null : examined + documents
    }
    return examined
  } finally {
    await client.close()
  }
}

function expectIndex(reads: readonly string[], isByIndex: (step: string) => boolean): void {
  const other = reads.find((step) => !isByIndex(step))
  if (reads.length === 0 || other !== undefined) throw new Error(`not by the index on due times: ${other ?? 'no read'}`)
}

interface Step {
  readonly kind: string
  readonly index: string | undefined
}

function* stepsIn(plan: unknown): Generator<Step> {
  if (typeof plan !== 'object' || plan === null) return
  const fields = plan as Record<string, string | undefined>
  const kind = fields.stage ?? fields['Node Type']
  if (kind !== undefined) yield { kind, index: fields.indexName ?? fields['Index Name'] }
  for (const part of Object.values(plan)) yield* stepsIn(part)
}
