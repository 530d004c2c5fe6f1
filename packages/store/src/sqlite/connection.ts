import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { type Clock, CodedError, type Hook, SECOND } from '@tokenkeeper/core'
import { type BatchOperation, createBatcher } from '../batcher.ts'
import { isBusy, toStoreError } from './errors.ts'
import type { Row } from './rows.ts'

/** One statement, run once for each list of parameters. */
export interface Statement {
  readonly sql: string
  readonly params: readonly (readonly SQLInputValue[])[]
}

type WriteOperation = Statement & BatchOperation

export interface Connection {
  rows(sql: string, ...params: SQLInputValue[]): Promise<Row[]>
  row(sql: string, ...params: SQLInputValue[]): Promise<Row | undefined>
  /** Runs in a transaction shared with other writes; resolves after COMMIT with how many rows changed. */
  write(statement: Statement, batching?: Partial<BatchOperation>): Promise<number>
  /** Waits for the writes under way; what is asked for afterwards is refused. */
  close(): Promise<void>
}

export interface ConnectionOptions {
  readonly clock: Clock
  readonly hook: Hook
}

const MAX_BATCH = 500
const GIVE_UP_AFTER_MS = 5 * SECOND
const LONGEST_PAUSE_MS = 50

export function createConnection(db: DatabaseSync, { clock, hook }: ConnectionOptions): Connection {
  const statements = new Map<string, StatementSync>()
  let closing: Promise<void> | null = null

  function prepared(sql: string): StatementSync {
    let statement = statements.get(sql)
    if (!statement) {
      statement = db.prepare(sql)
      statements.set(sql, statement)
    }
    return statement
  }

  /** node:sqlite blocks the event loop while it waits for a lock, so it waits briefly and the rest is slept through. */
  async function withRetry<T>(task: () => T): Promise<T> {
    const deadline = clock.monotonic() + GIVE_UP_AFTER_MS
    for (let pause = 2; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return task()
      } catch (error) {
        if (!db.isOpen) throw wasClosed()
        if (!isBusy(error) || clock.monotonic() >= deadline) throw toStoreError(error)
      }
      await clock.sleep(pause * (0.5 + Math.random()))
    }
  }

  function transact(operations: readonly WriteOperation[]): number[] {
    prepared('BEGIN IMMEDIATE').run()
    try {
      const results = operations.map(({ sql, params }) =>
        params.reduce((changed, values) => changed + Number(prepared(sql).run(...values).changes), 0),
      )
      prepared('COMMIT').run()
      return results
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  const batcher = createBatcher<WriteOperation>({
    execute: (operations) => withRetry(() => transact(operations)),
    maxSize: MAX_BATCH,
    hook,
  })

  function refuseIfClosed(): void {
    if (closing) throw wasClosed()
  }

  async function rows(sql: string, ...params: SQLInputValue[]): Promise<Row[]> {
    refuseIfClosed()
    return withRetry(() => prepared(sql).all(...params))
  }

  async function close(): Promise<void> {
    await batcher.drain()
    try {
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // Only tidiness: the next process that opens the file does it.
    }
    db.close()
  }

  return {
    rows,
    row: async (sql, ...params) => (await rows(sql, ...params))[0],
    async write(statement, { key = null, name = null } = {}) {
      refuseIfClosed()
      return batcher.submit({ ...statement, key, name })
    },
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function wasClosed(): CodedError {
  return new CodedError('STORE_UNAVAILABLE', { internal: 'the store was closed' })
}
