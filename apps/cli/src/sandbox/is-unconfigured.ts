import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '@tokenkeeper/config'

/** Setting one of these means that somebody has a Tokenkeeper in mind. */
const TELLING = /^(DATABASE_URL|TOKEN_ENCRYPTION_KEYS)(_FILE)?$|^REDIS_/

/**
 * Nothing is configured at all: no `.env`, no database, no keys, no Redis, not production, and no database file from
 * before. Then `start` shows the sandbox.
 */
export function isUnconfigured({ variables, envFile }: Environment, dataDir: string): boolean {
  const configured = Object.entries(variables).some(([name, value]) => value && TELLING.test(name))
  const production = variables.NODE_ENV === 'production'
  return !configured && envFile === null && !production && !existsSync(join(dataDir, 'tokenkeeper.db'))
}
