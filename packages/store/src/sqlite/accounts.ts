import type { SQLInputValue } from 'node:sqlite'
import { type Account, CodedError } from '@tokenkeeper/core'
import type { ExpiringQuery } from '../reports.ts'
import type {
  AccountKeyCounts,
  AccountStore,
  DueAccount,
  DueQuery,
  ListQuery,
  PagesDueAccount,
  PagesDueQuery,
} from '../store.ts'
import { updateStatement } from './change.ts'
import { allOf, type Clause, IN_LIST, list } from './clause.ts'
import type { Connection } from './connection.ts'
import { type Row, accountTable as table } from './rows.ts'

const SELECT = `SELECT ${table.selection} FROM accounts`
const INSERT_SQL = `${table.insertSql} ON CONFLICT DO NOTHING`

/** What {@link DueAccount} holds. */
const DUE_COLUMNS = 'id, platform, service_url AS serviceUrl, next_refresh_at AS nextRefreshAt, dies_at AS diesAt'
const SELECT_DUE = `SELECT ${DUE_COLUMNS} FROM accounts`

export const STALE_SQL = `${SELECT_DUE}
  WHERE attempt IS NOT NULL AND status NOT IN ('quarantined', 'removing') AND takeover_at <= ?
  ORDER BY takeover_at, id LIMIT ?`

export const WITH_OUTBOX_SQL = `SELECT id FROM accounts WHERE outbox <> '[]' AND id > ? ORDER BY id LIMIT ?`

const KEYS_SQL = `SELECT key_id AS keyId, sum(place = 1) AS current, sum(place = 2) AS previous,
    sum(place = 3) AS former, sum(place = 4) AS appPasswords
  FROM (
    SELECT key_id, 1 AS place FROM accounts
    UNION ALL SELECT previous_key_id, 2 FROM accounts
    UNION ALL SELECT value ->> '$.keyId', 3 FROM accounts, json_each(former_credentials)
    UNION ALL SELECT app_password_key_id, 4 FROM accounts
  ) WHERE key_id <> '' GROUP BY key_id ORDER BY key_id`

const SHARED_SQL = `SELECT 1 FROM accounts
  WHERE platform = ? AND provider_app_id = ? AND external_id = ? AND id <> ? AND status <> 'removing' LIMIT 1`

const PULL_SQL = `UPDATE accounts SET outbox = (
    SELECT json_group_array(json(value) ORDER BY key) FROM json_each(outbox)
    WHERE value ->> '$.id' NOT IN ${IN_LIST})
  WHERE id = ?`

export function dueClause({ platform, statusIn, before, after, limit }: DueQuery): Clause {
  const arm = `${SELECT_DUE} WHERE platform = ? AND status = ? AND next_refresh_at <= ?
    ${after ? 'AND (next_refresh_at, id) > (?, ?)' : ''}`
  const cursor = after ? [after.nextRefreshAt, after.id] : []
  const statuses = [...new Set(statusIn)]
  return mergedArms(
    arm,
    statuses.map((status) => [platform, status, before, ...cursor]),
    'nextRefreshAt',
    limit,
  )
}

export function pagesDueClause({ platforms, at, after, limit }: PagesDueQuery): Clause {
  const arm = `SELECT ${DUE_COLUMNS}, pages_due_at AS pagesDueAt FROM accounts
    WHERE platform = ? AND status = 'active' AND pages_due_at <= ?
    ${after ? 'AND (pages_due_at, id) > (?, ?)' : ''}`
  const cursor = after ? [after.pagesDueAt, after.id] : []
  const distinct = [...new Set(platforms)]
  return mergedArms(
    arm,
    distinct.map((platform) => [platform, at, ...cursor]),
    'pagesDueAt',
    limit,
  )
}

export function expiringClause({ platforms, from, before, after, limit }: ExpiringQuery): Clause {
  const arm = `SELECT ${table.selection}, ends_at AS endsAt FROM accounts
    WHERE platform = ? AND status <> 'removing' AND ends_at < ?
    AND ${after ? '(ends_at, id) > (?, ?)' : 'ends_at >= ?'}`
  // One lower bound alone: of two, the index might begin at the lower one, at each page anew.
  const start = after ? [after.endsAt, after.id] : [from]
  const distinct = [...new Set(platforms)]
  return mergedArms(
    arm,
    distinct.map((platform) => [platform, before, ...start]),
    'endsAt',
    limit,
  )
}

/** The arm once for each list of parameters, merged in order: an IN would read and sort all that is due each time. */
function mergedArms(arm: string, params: readonly SQLInputValue[][], time: string, limit: number): Clause {
  const sql = `${params.map(() => arm).join(' UNION ALL ')} ORDER BY ${time}, id LIMIT ?`
  return { sql, params: [...params.flat(), limit] }
}

/** With an empty `hint` any index may serve; `+` keeps those on platform and status out. */
function filterClause(
  { platform, platformIn, statusIn, ownerId, afterId }: Partial<ListQuery>,
  hint: '' | '+' = '',
): Clause {
  return allOf({
    [`${hint}platform = ?`]: platform,
    [`${hint}platform IN ${IN_LIST}`]: list(platformIn),
    [`${hint}status IN ${IN_LIST}`]: list(statusIn),
    'owner_id = ?': ownerId,
    'id > ?': afterId ?? undefined,
  })
}

/** Pages walk the ids: through the index on status each page would read and sort all that matches. */
export function listClause(query: ListQuery): Clause {
  const where = filterClause(query, query.ownerId === undefined ? '+' : '')
  return { sql: `${SELECT} WHERE ${where.sql} ORDER BY id LIMIT ?`, params: [...where.params, query.limit] }
}

export function createAccountStore(connection: Connection): AccountStore {
  const toAccounts = (rows: Row[]): Account[] => rows.map(table.fromRow)
  const toAccount = (row: Row | undefined): Account | null => (row ? table.fromRow(row) : null)

  return {
    async insert(account) {
      const statement = { sql: INSERT_SQL, params: [table.toParams(account)] }
      const inserted = await connection.write(statement, { key: account.id })
      if (inserted === 0) throw new CodedError('ACCOUNT_EXISTS')
    },
    get: async (id) => toAccount(await connection.row(`${SELECT} WHERE id = ?`, id)),
    getMany: async (ids) => toAccounts(await connection.rows(`${SELECT} WHERE id IN ${IN_LIST}`, JSON.stringify(ids))),
    findByLogin: async (login) =>
      toAccount(
        await connection.row(
          `${SELECT} WHERE owner_id = ? AND platform = ? AND provider_app_id = ? AND external_id = ?`,
          login.ownerId,
          login.platform,
          login.providerAppId,
          login.externalId,
        ),
      ),
    write: async (write) =>
      (await connection.write(updateStatement(write), { key: write.accountId, name: write.name })) > 0,
    async due(query) {
      if (query.statusIn.length === 0) return []
      const { sql, params } = dueClause(query)
      return toDueAccounts(await connection.rows(sql, ...params))
    },
    async pagesDue(query) {
      if (query.platforms.length === 0) return []
      const { sql, params } = pagesDueClause(query)
      return toDueAccounts<PagesDueAccount>(await connection.rows(sql, ...params))
    },
    stale: async ({ now, limit }) => toDueAccounts(await connection.rows(STALE_SQL, now, limit)),
    withOutbox: async ({ afterId, limit }) =>
      (await connection.rows(WITH_OUTBOX_SQL, afterId ?? '', limit)).map((row) => String(row.id)),
    async expiring(query) {
      if (query.platforms.length === 0) return []
      const { sql, params } = expiringClause(query)
      return toAccounts((await connection.rows(sql, ...params)).map(({ endsAt: _, ...row }) => row))
    },
    async list(query) {
      const { sql, params } = listClause(query)
      return toAccounts(await connection.rows(sql, ...params))
    },
    async count(query) {
      const where = filterClause(query)
      const row = await connection.row(`SELECT count(*) AS count FROM accounts WHERE ${where.sql}`, ...where.params)
      return Number(row?.count)
    },
    pull: async (id, itemIds) =>
      (await connection.write({ sql: PULL_SQL, params: [[JSON.stringify(itemIds), id]] }, { key: id })) > 0,
    deleteRemoved: async (id) =>
      (await connection.write(
        { sql: `DELETE FROM accounts WHERE id = ? AND status = 'removing' AND outbox = '[]'`, params: [[id]] },
        { key: id },
      )) > 0,
    isShared: async ({ id, platform, providerAppId, externalId }) =>
      (await connection.row(SHARED_SQL, platform, providerAppId, externalId, id)) !== undefined,
    countKeys: async () => (await connection.rows(KEYS_SQL)).map((row) => ({ ...row }) as unknown as AccountKeyCounts),
  }
}

function toDueAccounts<T extends DueAccount>(rows: Row[]): T[] {
  return rows.map((row) => ({ ...row }) as unknown as T)
}
