import type { ApiKeyStore } from '../store.ts'
import type { Connection } from './connection.ts'
import { apiKeyTable as table } from './rows.ts'

const SELECT = `SELECT ${table.selection} FROM api_keys`
const REVOKE_SQL = 'UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL'

export function createApiKeyStore(connection: Connection): ApiKeyStore {
  return {
    async insert(key) {
      await connection.write({ sql: table.insertSql, params: [table.toParams(key)] })
    },
    async get(id) {
      const row = await connection.row(`${SELECT} WHERE id = ?`, id)
      return row ? table.fromRow(row) : null
    },
    list: async () => (await connection.rows(`${SELECT} ORDER BY created_at, id`)).map(table.fromRow),
    revoke: async (id, at) => (await connection.write({ sql: REVOKE_SQL, params: [[at, id]] })) > 0,
  }
}
