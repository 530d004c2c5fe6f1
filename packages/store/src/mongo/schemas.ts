import {
  type Account,
  type AccountEvent,
  API_ROLES,
  type ApiKey,
  type AuditEntry,
  type Halt,
  type Page,
  PLATFORMS,
  type RefreshLogEntry,
} from '@tokenkeeper/core'
import { Schema, type SchemaDefinition } from 'mongoose'
import type { Run, Schedule } from '../store.ts'

/**
 * What the documents look like: the one description from which the server's validators, the indexes and the conversion
 * at the border are made. Times are dates, ids are ObjectIds (24 hex digits outside).
 */
type Fields<T> = Record<Exclude<keyof T, 'id'>, unknown> & SchemaDefinition

const text = { type: String, required: true }
const time = { type: Date, required: true }
const number = { type: Number, required: true }
const id = { type: Schema.Types.ObjectId, required: true }
/** An id, or what stands in its place: `ref` has it turned into an ObjectId if it is one. */
const idOrOther = { type: Schema.Types.Mixed, ref: 'accounts', required: true }
const oneOf = (...values: readonly string[]) => ({ type: String, enum: [...values], required: true })

function collection<T>(name: string, fields: Fields<T> & { _id?: unknown }): Schema {
  return new Schema(fields, { collection: name, strict: 'throw', versionKey: false })
}

function embedded<T>(fields: Record<keyof T, unknown> & SchemaDefinition): Schema {
  return new Schema(fields, { _id: false, id: false })
}

export const accountSchema = collection<Account>('accounts', {
  ownerId: text,
  platform: oneOf(...PLATFORMS),
  providerAppId: text,
  externalId: text,
  displayName: text,
  status: oneOf('active', 'paused', 'needs_action', 'needs_reconnect', 'quarantined', 'removing'),
  statusReason: String,
  serviceUrl: String,
  issuer: String,
  scopes: { type: [String], required: true },
  generation: number,
  sealedCredential: text,
  keyId: text,
  previousCredential: String,
  previousKeyId: String,
  /** Kept as the engine made them: times in ms. */
  formerCredentials: [Object],
  connectId: text,
  accessExpiresAt: Date,
  diesAt: Date,
  dataAccessExpiresAt: Date,
  connectedAt: time,
  lastRefreshedAt: Date,
  nextRefreshAt: time,
  snoozedAt: Date,
  failure: embedded<NonNullable<Account['failure']>>({ count: number, class: text, code: text, since: time }),
  attempt: embedded<NonNullable<Account['attempt']>>({
    id: text,
    state: oneOf('live', 'released', 'held'),
    workerId: text,
    jobId: String,
    jobRun: number,
    tookOverEarly: { type: Boolean, required: true },
    refreshType: text,
    beganAt: time,
    leaseUntil: time,
    firstSentAt: time,
    unknownSince: Date,
    notBefore: time,
    presentedDigest: text,
  }),
  lastAttempt: embedded<NonNullable<Account['lastAttempt']>>({ id: text, outcome: text, generation: number, at: time }),
  pagesGeneration: number,
  pagesDueAt: Date,
  /** On their way to other collections, and kept as the engine made them: times in ms. */
  outbox: { type: [Object], required: true },
  ownerEmail: String,
  sealedAppPassword: String,
  appPasswordKeyId: String,
  appPasswordTriedAt: Date,
})
  .index({ ownerId: 1, platform: 1, providerAppId: 1, externalId: 1 }, { name: 'login', unique: true })
  .index({ platform: 1, status: 1, nextRefreshAt: 1, _id: 1 }, { name: 'due' })
  .index({ platform: 1, providerAppId: 1, externalId: 1 }, { name: 'atProvider' })
  .index({ takeoverAt: 1, _id: 1 }, { name: 'stale', partialFilterExpression: { takeoverAt: { $gte: new Date(0) } } })
  .index({ outboxId: 1 }, { name: 'outbox', sparse: true })
  .index(
    { platform: 1, status: 1, pagesDueAt: 1, _id: 1 },
    { name: 'pagesDue', partialFilterExpression: { pagesDueAt: { $gte: new Date(0) } } },
  )
  .index(
    { platform: 1, diesAt: 1, _id: 1 },
    { name: 'dies', partialFilterExpression: { diesAt: { $gte: new Date(0) } } },
  )
  .index(
    { platform: 1, dataAccessExpiresAt: 1, _id: 1 },
    { name: 'dataAccess', partialFilterExpression: { dataAccessExpiresAt: { $gte: new Date(0) } } },
  )

export const pageSchema = collection<Page>('account_pages', {
  accountId: id,
  externalId: text,
  name: text,
  sealedToken: String,
  keyId: String,
  tokenExpiresAt: Date,
  tasks: { type: [String], required: true },
  instagramBusinessAccountId: String,
  status: oneOf('active', 'needs_permission', 'missing', 'lost'),
  statusReason: String,
  missingCount: number,
  lastMissedAt: Date,
  parentGeneration: number,
  refreshedAt: Date,
})
  .index({ accountId: 1, externalId: 1 }, { name: 'account', unique: true })
  .index(
    { tokenExpiresAt: 1, _id: 1 },
    { name: 'expiring', partialFilterExpression: { tokenExpiresAt: { $gte: new Date(0) } } },
  )

export const logSchema = collection<RefreshLogEntry>('refresh_log', {
  _id: Schema.Types.Mixed, // the attempt's id, or for one of its pages `attemptId:pageId`
  accountId: id,
  pageId: String,
  refreshType: text,
  outcome: text,
  success: { type: Boolean, required: true },
  errorClass: String,
  errorCode: String,
  errorMessage: String,
  oldExpiresAt: Date,
  newExpiresAt: Date,
  extension: String,
  generation: number,
  tokenDigest: text,
  durationMs: number,
  workerId: text,
  refreshedAt: time,
})
  .index({ refreshedAt: -1, _id: -1 }, { name: 'time' })
  .index({ accountId: 1, refreshedAt: -1, _id: -1 }, { name: 'account' })
  .index({ success: 1, refreshedAt: -1, _id: -1 }, { name: 'success' })

export const eventSchema = collection<AccountEvent>('events', { accountId: id, type: text, reason: String, at: time })
  .index({ at: -1, _id: -1 }, { name: 'time' })
  .index({ accountId: 1, at: -1, _id: -1 }, { name: 'account' })

export const auditSchema = collection<AuditEntry>('audit', {
  accountId: idOrOther, // empty where something was done to no account
  action: text,
  actor: text,
  detail: String,
  at: time,
})
  .index({ at: -1, _id: -1 }, { name: 'time' })
  .index({ accountId: 1, at: -1, _id: -1 }, { name: 'account' })

export const runSchema = collection<Run>('runs', {
  scheduleId: text,
  occurrence: text,
  filter: { type: embedded<Run['filter']>({ platforms: [String], dueBefore: Date }), required: true },
  requestedBy: text,
  createdAt: time,
  startedAt: time,
  finishedAt: Date,
  cursor: String,
  /** Written and forgotten as a whole: times in ms. */
  window: Schema.Types.Mixed,
  totals: { type: Object, required: true },
})
  .index({ scheduleId: 1, occurrence: 1 }, { name: 'occurrence', unique: true })
  .index({ finishedAt: 1, createdAt: 1, _id: 1 }, { name: 'unfinished' })
  .index({ scheduleId: 1, createdAt: -1, _id: -1 }, { name: 'latest' })

export const scheduleSchema = collection<Schedule>('schedules', {
  _id: Schema.Types.Mixed, // its name
  pattern: text,
  tz: text,
  platforms: { type: [String], required: true },
  runLimit: Number,
  startedRuns: number,
  isOn: { type: Boolean, required: true },
  lastOccurrence: Date,
  pending: Date,
  changedAt: time,
  pinnedBy: { type: [String], required: true },
})

export const apiKeySchema = collection<ApiKey>('api_keys', {
  name: text,
  role: oneOf(...API_ROLES),
  hash: text,
  createdAt: time,
  createdBy: text,
  revokedAt: Date,
})

export const haltSchema = collection<Halt>('halts', {
  platform: oneOf(...PLATFORMS),
  providerAppId: text,
  state: oneOf('suspected', 'halted'),
  code: text,
  suspects: { type: [String], required: true },
  since: time,
  probeAt: time,
})

export const SCHEMAS: readonly Schema[] = [
  accountSchema,
  pageSchema,
  haltSchema,
  logSchema,
  eventSchema,
  auditSchema,
  runSchema,
  scheduleSchema,
  apiKeySchema,
]
