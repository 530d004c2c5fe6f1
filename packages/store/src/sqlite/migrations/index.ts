import type { DatabaseSync } from 'node:sqlite'
import { CodedError } from '@tokenkeeper/core'
import { init } from './001-init.ts'
import { apiKeys } from './002-api-keys.ts'
import { runWindows } from './003-run-windows.ts'
import { accountPages } from './004-account-pages.ts'
import { extensions } from './005-extensions.ts'
import { schedules } from './006-schedules.ts'
import { reports } from './007-reports.ts'
import { retention } from './008-retention.ts'

/** In order, for ever: the schema's version is how many of these have run. A migration that was released never changes. */
const MIGRATIONS: readonly string[] = [
  init,
  apiKeys,
  runWindows,
  accountPages,
  extensions,
  schedules,
  reports,
  retention,
]

function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version)
}

/** Throws STORE_OUTDATED or STORE_TOO_NEW if another version made the schema. */
export function assertCurrent(db: DatabaseSync): void {
  const version = schemaVersion(db)
  if (version === MIGRATIONS.length) return
  throw new CodedError(version < MIGRATIONS.length ? 'STORE_OUTDATED' : 'STORE_TOO_NEW', {
    internal: `schema ${version}, known ${MIGRATIONS.length}`,
  })
}

/** Brings the schema up to date. Throws STORE_TOO_NEW if a newer version made it. */
export function migrate(db: DatabaseSync): void {
  if (schemaVersion(db) === MIGRATIONS.length) return
  db.exec('BEGIN IMMEDIATE')
  try {
    const version = schemaVersion(db) // another process may have been faster
    if (version > MIGRATIONS.length) {
      throw new CodedError('STORE_TOO_NEW', { internal: `schema ${version}, known ${MIGRATIONS.length}` })
    }
    for (const migration of MIGRATIONS.slice(version)) db.exec(migration)
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
