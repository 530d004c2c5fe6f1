/** The thread of a writer: carries out one batch for each message, as one transaction. See writer.ts. */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { Batch, BatchAnswer, WriterData } from './writer.ts'

const { path, busyTimeoutMs } = workerData as WriterData
const db = new DatabaseSync(path, { timeout: busyTimeoutMs })
db.exec('PRAGMA synchronous = FULL')
// 16 MB: a row that is written several times soon goes to the database file once.
db.exec('PRAGMA wal_autocheckpoint = 4000')
const begin = db.prepare('BEGIN IMMEDIATE')
const commit = db.prepare('COMMIT')
const texts: string[] = []
const statements: StatementSync[] = []

function transact({ newSql, operations }: Batch): number[] {
  for (const sql of newSql) texts.push(sql)
  begin.run()
  try {
    const changed = operations.map(({ sql, params }) =>
      params.reduce((sum, values) => sum + Number(prepared(sql).run(...values).changes), 0),
    )
    commit.run()
    return changed
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** Prepared at the first use, so that text which is wrong fails its own batch. */
function prepared(index: number): StatementSync {
  statements[index] ??= db.prepare(texts[index]!)
  return statements[index]
}

function answer(batch: Batch): BatchAnswer {
  try {
    return { changed: transact(batch) }
  } catch (error) {
    const { message, errcode } = error as Error & { readonly errcode?: number }
    return { error: { message, errcode } }
  }
}

parentPort!.on('message', (batch: Batch | null) => {
  if (batch !== null) return parentPort!.postMessage(answer(batch))
  db.close()
  parentPort!.close()
})
