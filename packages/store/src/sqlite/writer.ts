import type { SQLInputValue } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { CodedError } from '@tokenkeeper/core'
import type { Statement } from './connection.ts'

/** What a thread starts with. */
export interface WriterData {
  readonly path: string
  readonly busyTimeoutMs: number
}

/** SQL texts go over once; operations name them by their number. */
export interface Batch {
  readonly newSql: readonly string[]
  readonly operations: readonly { readonly sql: number; readonly params: readonly (readonly SQLInputValue[])[] }[]
}

export type BatchAnswer =
  | { readonly changed: readonly number[] }
  | { readonly error: { readonly message: string; readonly errcode?: number | undefined } }

export interface Writer {
  /** One transaction; resolves after COMMIT with how many rows each statement changed. One at a time. */
  transact(statements: readonly Statement[]): Promise<readonly number[]>
  close(): Promise<void>
}

/**
 * Writes in a thread of its own: node:sqlite blocks while the disk syncs, and the event loop has other things to do.
 * The thread starts with the first write, so that who only reads has none.
 */
export function createWriter(data: WriterData): Writer {
  let thread: Thread | null = null
  return {
    async transact(statements) {
      thread ??= startThread(data, () => {
        thread = null
      })
      return thread.transact(statements)
    },
    async close() {
      await thread?.close()
    },
  }
}

/** Of a database that is only read. */
export const NO_WRITER: Writer = {
  async transact() {
    throw new CodedError('INTERNAL', { internal: 'a write to a database that was opened to read' })
  },
  async close() {},
}

type Thread = Writer

function startThread(workerData: WriterData, onEnd: () => void): Thread {
  const worker = new Worker(new URL('writer-thread.ts', import.meta.url), { workerData })
  const numbers = new Map<string, number>()
  let waiting: PromiseWithResolvers<readonly number[]> | null = null
  let trouble: unknown

  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      onEnd()
      waiting?.reject(trouble ?? new Error('the writing thread ended'))
      resolve()
    })
  })
  worker.on('error', (error) => {
    trouble = error
  })
  worker.on('message', (answer: BatchAnswer) => {
    const { resolve, reject } = waiting!
    waiting = null
    // What waits keeps the process alive, the thread alone does not.
    worker.unref()
    if ('changed' in answer) resolve(answer.changed)
    else reject(Object.assign(new Error(answer.error.message), { errcode: answer.error.errcode }))
  })

  /** Throws if a value is of a kind that cannot be sent, nor bound. */
  function send(statements: readonly Statement[]): void {
    const newSql: string[] = []
    const numberOf = (sql: string) => {
      const known = numbers.get(sql)
      if (known !== undefined) return known
      newSql.push(sql)
      numbers.set(sql, numbers.size)
      return numbers.size - 1
    }
    const operations = statements.map(({ sql, params }) => ({ sql: numberOf(sql), params }))
    try {
      worker.postMessage({ newSql, operations } satisfies Batch)
    } catch (error) {
      for (const sql of newSql) numbers.delete(sql)
      throw error
    }
  }

  return {
    async transact(statements) {
      send(statements)
      waiting = Promise.withResolvers()
      worker.ref()
      return waiting.promise
    },
    async close() {
      worker.ref()
      worker.postMessage(null)
      await ended
    },
  }
}
