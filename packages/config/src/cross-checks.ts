import type { ConfigProblem } from './config-error.ts'
import type { Values, VariableName } from './variables.ts'

/** What must not stand beside REDIS_URL, which says it all. */
const REDIS_PARTS = [
  'REDIS_HOST',
  'REDIS_PORT',
  'REDIS_USERNAME',
  'REDIS_PASSWORD',
  'REDIS_DB',
  'REDIS_TLS',
] as const satisfies readonly VariableName[]

/** An app is known by both, or by neither. */
const APPS = [
  ['APP_ID', 'APP_SECRET'],
  ['INSTAGRAM_APP_ID', 'INSTAGRAM_APP_SECRET'],
  ['THREADS_APP_ID', 'THREADS_APP_SECRET'],
] as const satisfies readonly (readonly VariableName[])[]

/** Adds a problem for each contradiction between values; those that did not parse are passed over. */
export function checkValues(values: Partial<Values>, problems: ConfigProblem[]): void {
  const problem = (variable: VariableName, message: string) => problems.push({ variable, message })
  const complained = (variable: VariableName) =>
    problems.some((it) => it.variable === variable || it.variable === `${variable}_FILE`)

  if (values.NODE_ENV === 'production' && !values.TOKEN_ENCRYPTION_KEYS && !complained('TOKEN_ENCRYPTION_KEYS')) {
    problem(
      'TOKEN_ENCRYPTION_KEYS',
      'must be set in production: make a key with `openssl rand -base64 32`, set TOKEN_ENCRYPTION_KEYS=k1:KEY, keep a copy',
    )
  }

  if (values.REDIS_URL !== undefined) {
    for (const part of REDIS_PARTS) {
      if (values[part] !== undefined) problem(part, 'contradicts REDIS_URL: set REDIS_URL alone, or only the others')
    }
  } else if (values.REDIS_USERNAME !== undefined && !values.REDIS_PASSWORD && !complained('REDIS_PASSWORD')) {
    problem('REDIS_USERNAME', 'needs REDIS_PASSWORD beside it')
  }
  if (values.REDIS_TLS_CA !== undefined && !(values.REDIS_URL?.tls ?? values.REDIS_TLS)) {
    problem('REDIS_TLS_CA', 'is of no use without TLS: set REDIS_TLS=true, or a REDIS_URL that begins with rediss://')
  }

  for (const [id, secret] of APPS) {
    if (values[id] !== undefined && !values[secret] && !complained(secret)) problem(id, `needs ${secret} beside it`)
    if (values[secret] !== undefined && !values[id] && !complained(id)) problem(secret, `needs ${id} beside it`)
  }

  const { AUDIT_RETENTION_DAYS, JOURNAL_DAYS } = values
  if (AUDIT_RETENTION_DAYS !== undefined && JOURNAL_DAYS !== undefined && AUDIT_RETENTION_DAYS < JOURNAL_DAYS) {
    problem(
      'AUDIT_RETENTION_DAYS',
      `must be at least JOURNAL_DAYS (${JOURNAL_DAYS}): the audit tells which accounts of the journal were removed`,
    )
  }

  const { LEASE_MS, LEASE_RENEW_MS, STALE_SCAN_MS, DEAD_WITNESS_MS, DEAD_HOLD_MS } = values
  // One renewal may be lost without the lease.
  if (LEASE_MS !== undefined && LEASE_RENEW_MS !== undefined && LEASE_RENEW_MS >= LEASE_MS / 2) {
    problem('LEASE_RENEW_MS', `must be less than half of LEASE_MS (${LEASE_MS})`)
  }
  if (LEASE_MS !== undefined && STALE_SCAN_MS !== undefined && STALE_SCAN_MS > LEASE_MS) {
    problem('STALE_SCAN_MS', `must not be more than LEASE_MS (${LEASE_MS})`)
  }
  if (DEAD_WITNESS_MS !== undefined && DEAD_HOLD_MS !== undefined && DEAD_WITNESS_MS >= DEAD_HOLD_MS) {
    problem('DEAD_WITNESS_MS', `must be less than DEAD_HOLD_MS (${DEAD_HOLD_MS})`)
  }
}
