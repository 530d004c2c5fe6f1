import type { Page } from '@tokenkeeper/core'
import type { ExpiringPagesQuery } from '../reports.ts'
import type { AccountPageStore, PageKeyCounts } from '../store.ts'
import { replaceAsRead } from './as-read.ts'
import type { Clause } from './clause.ts'
import type { Connection, Statement } from './connection.ts'
import { pageTable as table } from './rows.ts'
import { createScan } from './scan.ts'

const SELECT = `SELECT ${table.selection} FROM account_pages`

const KEYS_SQL = `SELECT key_id AS keyId, count(*) AS pages FROM account_pages
  WHERE key_id IS NOT NULL GROUP BY key_id ORDER BY key_id`

const listedAt = (row: string) => `(${row}.parent_generation, coalesce(${row}.refreshed_at, 0))`
/** A row that breaks another rule, an id that is not of its account and Page, is left out too. */
const PUT_SQL = `${table.upsertSql} WHERE ${listedAt('excluded')} >= ${listedAt('account_pages')}
  ON CONFLICT DO NOTHING`

/** Those of one account are few enough to be sorted. */
export function ofAccountClause(accountId: string, afterId: string | null, limit: number): Clause {
  const sql = `${SELECT} WHERE account_id = ? AND +id > ? ORDER BY id LIMIT ?`
  return { sql, params: [accountId, afterId ?? '', limit] }
}

export function expiringPagesClause({ from, before, after, limit }: ExpiringPagesQuery): Clause {
  const sql = `${SELECT} WHERE token_expires_at < ? AND ${after ? '(token_expires_at, id) > (?, ?)' : 'token_expires_at >= ?'}
    ORDER BY token_expires_at, id LIMIT ?`
  return { sql, params: [before, ...(after ? [after.tokenExpiresAt, after.id] : [from]), limit] }
}

export function createAccountPageStore(connection: Connection): AccountPageStore {
  /** Each by itself, so that each is told whether it landed; they share a transaction all the same. */
  async function landed(writes: readonly (readonly [page: Page, statement: Statement])[]): Promise<Set<string>> {
    const ids = writes.map(async ([{ id }, statement]) => ((await connection.write(statement)) > 0 ? [id] : []))
    return new Set((await Promise.all(ids)).flat())
  }

  return {
    ...createScan(connection, table),
    put: (pages) => landed(pages.map((page) => [page, { sql: PUT_SQL, params: [table.toParams(page)] }])),
    update: (changes) => landed(changes.map(({ from, to }) => [to, replaceAsRead(table, from, to)])),
    async get(id) {
      const row = await connection.row(`${SELECT} WHERE id = ?`, id)
      return row ? table.fromRow(row) : null
    },
    async ofAccount(accountId, { afterId, limit }) {
      const { sql, params } = ofAccountClause(accountId, afterId, limit)
      return (await connection.rows(sql, ...params)).map(table.fromRow)
    },
    async expiring(query) {
      const { sql, params } = expiringPagesClause(query)
      return (await connection.rows(sql, ...params)).map(table.fromRow)
    },
    async removeAccount(accountId) {
      await connection.write({ sql: 'DELETE FROM account_pages WHERE account_id = ?', params: [[accountId]] })
    },
    countKeys: async () => (await connection.rows(KEYS_SQL)).map((row) => ({ ...row }) as unknown as PageKeyCounts),
  }
}
