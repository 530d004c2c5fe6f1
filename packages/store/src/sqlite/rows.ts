import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import type { Account, AccountEvent, ApiKey, AuditEntry, Halt, Page, RefreshLogEntry } from '@tokenkeeper/core'
import type { Run, Schedule } from '../store.ts'

/** How a field is kept in its column: as it is, as JSON text (null stays NULL), or a boolean as 0 or 1. */
type Encoding = 'plain' | 'json' | 'flag'

export type Row = Record<string, SQLOutputValue>

export interface Table<T> {
  readonly name: string
  readonly columns: readonly string[]
  column(field: keyof T): string
  encode(field: keyof T, value: unknown): SQLInputValue
  /** The columns under their fields' names: `owner_id AS ownerId, …`. */
  readonly selection: string
  /** `INSERT … VALUES …`, for an ON CONFLICT clause to follow. */
  readonly insertSql: string
  /** `INSERT … ON CONFLICT (id) DO UPDATE SET` all columns, for a WHERE clause to follow. */
  readonly upsertSql: string
  toParams(entity: T): SQLInputValue[]
  /** The row itself, its fields decoded: it is not a row any more. */
  fromRow(row: Row): T
}

function table<T extends object>(name: string, encodings: Record<keyof T & string, Encoding>): Table<T> {
  const fields = Object.keys(encodings) as (keyof T & string)[]
  const decoded = fields.filter((field) => encodings[field] !== 'plain')
  const names = Object.fromEntries(
    fields.map((field) => [field, field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]),
  ) as Record<keyof T, string>
  const column = (field: keyof T) => names[field]
  const encode = (field: keyof T, value: unknown): SQLInputValue => {
    if (value === null || value === undefined) return null
    const encoding = encodings[field as keyof T & string]
    if (encoding === 'json') return JSON.stringify(value)
    return encoding === 'flag' ? Number(value) : (value as SQLInputValue)
  }
  const columns = fields.map(column)
  const insertSql = `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`
  const excluded = columns.map((each) => `${each} = excluded.${each}`).join(', ')
  return {
    name,
    columns,
    column,
    encode,
    selection: fields.map((field) => `${column(field)} AS ${field}`).join(', '),
    insertSql,
    upsertSql: `${insertSql} ON CONFLICT (id) DO UPDATE SET ${excluded}`,
    toParams: (entity) => fields.map((field) => encode(field, entity[field])),
    fromRow(row) {
      const entity: Record<string, unknown> = row
      for (const field of decoded) {
        const value = row[field]
        if (encodings[field] === 'json' && typeof value === 'string') entity[field] = JSON.parse(value)
        if (encodings[field] === 'flag') entity[field] = value === 1
      }
      return entity as T
    },
  }
}

export const accountTable = table<Account>('accounts', {
  id: 'plain',
  ownerId: 'plain',
  platform: 'plain',
  providerAppId: 'plain',
  externalId: 'plain',
  displayName: 'plain',
  status: 'plain',
  statusReason: 'plain',
  serviceUrl: 'plain',
  issuer: 'plain',
  scopes: 'json',
  generation: 'plain',
  sealedCredential: 'plain',
  keyId: 'plain',
  previousCredential: 'plain',
  previousKeyId: 'plain',
  formerCredentials: 'json',
  connectId: 'plain',
  accessExpiresAt: 'plain',
  diesAt: 'plain',
  dataAccessExpiresAt: 'plain',
  connectedAt: 'plain',
  lastRefreshedAt: 'plain',
  nextRefreshAt: 'plain',
  snoozedAt: 'plain',
  failure: 'json',
  attempt: 'json',
  lastAttempt: 'json',
  pagesGeneration: 'plain',
  pagesDueAt: 'plain',
  outbox: 'json',
  ownerEmail: 'plain',
  sealedAppPassword: 'plain',
  appPasswordKeyId: 'plain',
  appPasswordTriedAt: 'plain',
})

export const logTable = table<RefreshLogEntry>('refresh_log', {
  id: 'plain',
  accountId: 'plain',
  pageId: 'plain',
  refreshType: 'plain',
  outcome: 'plain',
  success: 'flag',
  errorClass: 'plain',
  errorCode: 'plain',
  errorMessage: 'plain',
  oldExpiresAt: 'plain',
  newExpiresAt: 'plain',
  extension: 'plain',
  generation: 'plain',
  tokenDigest: 'plain',
  durationMs: 'plain',
  workerId: 'plain',
  refreshedAt: 'plain',
})

export const eventTable = table<AccountEvent>('events', {
  id: 'plain',
  accountId: 'plain',
  type: 'plain',
  reason: 'plain',
  at: 'plain',
})

export const auditTable = table<AuditEntry>('audit', {
  id: 'plain',
  accountId: 'plain',
  action: 'plain',
  actor: 'plain',
  detail: 'plain',
  at: 'plain',
})

export const runTable = table<Run>('runs', {
  id: 'plain',
  scheduleId: 'plain',
  occurrence: 'plain',
  filter: 'json',
  requestedBy: 'plain',
  createdAt: 'plain',
  startedAt: 'plain',
  finishedAt: 'plain',
  cursor: 'plain',
  window: 'json',
  totals: 'json',
})

export const scheduleTable = table<Schedule>('schedules', {
  id: 'plain',
  pattern: 'plain',
  tz: 'plain',
  platforms: 'json',
  runLimit: 'plain',
  startedRuns: 'plain',
  isOn: 'flag',
  lastOccurrence: 'plain',
  pending: 'plain',
  changedAt: 'plain',
  pinnedBy: 'json',
})

export const apiKeyTable = table<ApiKey>('api_keys', {
  id: 'plain',
  name: 'plain',
  role: 'plain',
  hash: 'plain',
  createdAt: 'plain',
  createdBy: 'plain',
  revokedAt: 'plain',
})

export const pageTable = table<Page>('account_pages', {
  id: 'plain',
  accountId: 'plain',
  externalId: 'plain',
  name: 'plain',
  sealedToken: 'plain',
  keyId: 'plain',
  tokenExpiresAt: 'plain',
  tasks: 'json',
  instagramBusinessAccountId: 'plain',
  status: 'plain',
  statusReason: 'plain',
  missingCount: 'plain',
  lastMissedAt: 'plain',
  parentGeneration: 'plain',
  refreshedAt: 'plain',
})

export const haltTable = table<Halt>('halts', {
  id: 'plain',
  platform: 'plain',
  providerAppId: 'plain',
  state: 'plain',
  code: 'plain',
  suspects: 'json',
  since: 'plain',
  probeAt: 'plain',
})
