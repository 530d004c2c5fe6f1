import { type Clock, CodedError, SECOND, within } from '@tokenkeeper/core'
import { mongo } from 'mongoose'
import type { StoredCollection, StoredDocument } from './codec.ts'
import { toStoreError } from './errors.ts'

export interface Connection extends Caller<mongo.Db> {
  collection(name: string): Caller<StoredCollection>
  /** Waits for what runs; what is asked for afterwards is refused. */
  close(): Promise<void>
}

export interface Caller<Target> {
  /** Carries out what a user of the store asks for: as `call`, but refused after close. */
  run<T>(task: (target: Target) => Promise<T>): Promise<T>
  /** Ends within some 5 s. Rejects with what toStoreError makes of it; the task may still have an effect later. */
  call<T>(task: (target: Target) => Promise<T>): Promise<T>
}

const ANSWER_WITHIN_MS = 5 * SECOND

/** What the contract of a store asks for, whatever the URL says. The rest of the driver's options may stand in the URL. */
const OPTIONS: mongo.MongoClientOptions = {
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: 4 * SECOND },
  readConcern: { level: 'majority' },
  readPreference: 'primary',
  serverSelectionTimeoutMS: 4 * SECOND,
  connectTimeoutMS: 4 * SECOND,
  waitQueueTimeoutMS: 4 * SECOND,
  socketTimeoutMS: 5 * SECOND,
  appName: 'tokenkeeper',
}

/** Connects at the first call. Throws STORE_URL_UNKNOWN. */
export function createConnection(url: string, clock: Clock): Connection {
  const running = new Set<Promise<unknown>>()
  let client = clientFor(url)
  let closing: Promise<void> | null = null

  async function call<T>(task: (db: mongo.Db) => Promise<T>): Promise<T> {
    const used = client
    try {
      return await within(clock, ANSWER_WITHIN_MS, task(used.db()), () => {
        throw new CodedError('STORE_UNAVAILABLE', { internal: `no answer within ${ANSWER_WITHIN_MS} ms` })
      })
    } catch (error) {
      const coded = toStoreError(error)
      if (coded.cause instanceof mongo.MongoServerSelectionError) replace(used)
      throw coded
    }
  }

  /**
   * A driver that finds no server may never find one again: it waits for ever for a command that it wrote to a socket
   * which the server had just closed (7.8, Connection.writeCommand), also for its own heartbeat.
   */
  function replace(failed: mongo.MongoClient): void {
    if (failed !== client || closing) return
    client = clientFor(url)
    failed.close().catch(() => {})
  }

  async function close(): Promise<void> {
    await Promise.allSettled(running)
    await client.close()
  }

  async function run<T>(task: (db: mongo.Db) => Promise<T>): Promise<T> {
    if (closing) throw new CodedError('STORE_UNAVAILABLE', { internal: 'the store was closed' })
    const outcome = call(task)
    running.add(outcome)
    try {
      return await outcome
    } finally {
      running.delete(outcome)
    }
  }

  return {
    run,
    call,
    collection: (name) => ({
      run: (task) => run((db) => task(db.collection<StoredDocument>(name))),
      call: (task) => call((db) => task(db.collection<StoredDocument>(name))),
    }),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function clientFor(url: string): mongo.MongoClient {
  try {
    const client = new mongo.MongoClient(url, OPTIONS)
    if (/^[^/]+\/\/[^/]+\/[^?]/.test(url)) return client
  } catch {
    // What the driver says of a URL may repeat it, and with it the password: none of it is passed on.
  }
  throw new CodedError('STORE_URL_UNKNOWN', {
    publicMessage:
      'The database address (DATABASE_URL, if none was given) cannot be used: it has the form mongodb://HOST/DATABASE, or mongodb+srv://…',
  })
}
