import { DatabaseSync } from 'node:sqlite'
import { type MongoProxy, until } from '@tokenkeeper/testkit'
import { readJournal } from './journal.ts'
import type { MongoDatabase } from './mongo-database.ts'

/** Watches from outside the product what was written, so that the invariants can be checked against it. */
export interface Witness {
  /** Attempts that began, in order. */
  begun(accountId: string): BegunAttempt[]
  /** Changes of the generation, in order. */
  generations(accountId: string): GenerationChange[]
  /** Ids in the log of this account. */
  logged(accountId: string): Promise<{ readonly id: string; readonly outcome: string }[]>
  /** Keeps everybody from writing until the returned function is called: the store is away for all. */
  lock(): Promise<() => Promise<void>>
}

export interface BegunAttempt {
  readonly id: string
  readonly generation: number
  readonly digest: string
  /** False where its write was sent but nobody ever learned whether it was applied. */
  readonly certain: boolean
}

export interface GenerationChange {
  readonly from: number
  readonly to: number
  /** ms; not before the change. */
  readonly at: number
}

/** Triggers in the database note every attempt that ever began, every change of the generation, and when. */
export function openSqliteWitness(path: string): Witness & Disposable {
  const db = new DatabaseSync(path)
  db.exec(`
    CREATE TABLE witness_begun (id TEXT PRIMARY KEY, account_id TEXT, generation INTEGER, digest TEXT);
    CREATE TABLE witness_generations (account_id TEXT, was INTEGER, became INTEGER, at REAL);
    CREATE TRIGGER witness_attempt AFTER UPDATE OF attempt ON accounts WHEN NEW.attempt IS NOT NULL BEGIN
      INSERT OR IGNORE INTO witness_begun VALUES
        (NEW.attempt ->> '$.id', NEW.id, NEW.generation, NEW.attempt ->> '$.presentedDigest');
    END;
    CREATE TRIGGER witness_generation AFTER UPDATE OF generation ON accounts WHEN NEW.generation <> OLD.generation BEGIN
      INSERT INTO witness_generations VALUES (NEW.id, OLD.generation, NEW.generation, unixepoch('subsec') * 1000);
    END;
  `)
  const all = <T>(sql: string, ...params: string[]) => db.prepare(sql).all(...params) as T[]
  return {
    begun: (id) =>
      all<Omit<BegunAttempt, 'certain'>>(
        'SELECT id, generation, digest FROM witness_begun WHERE account_id = ? ORDER BY rowid',
        id,
      ).map((attempt) => ({ ...attempt, certain: true })),
    generations: (id) =>
      all('SELECT was AS "from", became AS "to", at FROM witness_generations WHERE account_id = ? ORDER BY rowid', id),
    logged: async (id) => all('SELECT id, outcome FROM refresh_log WHERE account_id = ?', id),
    async lock() {
      db.exec('BEGIN IMMEDIATE')
      return async () => db.exec('ROLLBACK')
    },
    [Symbol.dispose]: () => db.close(),
  }
}

/**
 * Nothing can watch inside this database, so the actors keep a journal of what they send and see; the log is read past
 * them. Away: the proxy through which all reach the database is cut.
 */
export function openMongoWitness(options: {
  readonly database: MongoDatabase
  readonly journal: string
  readonly proxy: MongoProxy
  readonly ping: () => Promise<void>
}): Witness {
  const { database, journal, proxy, ping } = options
  return {
    begun: (id) => readJournal(journal, id).begun(),
    generations(id) {
      const { generations, generationsSeen } = readJournal(journal, id)
      const changes = generations()
      const [first, ...later] = generationsSeen()
      const unexplained = later.filter((generation) => !changes.some(({ to }) => to === generation))
      if (unexplained.length > 0) throw new Error(`from ${first} to ${unexplained} by no write that was noted`)
      return changes
    },
    logged: (id) => database.logged(id),
    async lock() {
      await proxy.refuse()
      return async () => {
        await proxy.restore()
        await until(() => ping().then(() => true), { what: 'the store to be back' })
      }
    },
  }
}
