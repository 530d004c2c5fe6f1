import { ACCOUNT_STATUSES } from '@tokenkeeper/core'
import { z } from 'zod'
import { count, id, platform, time, timeOrNull } from './forms.ts'

const textOrNull = z.string().nullable()
const status = z.enum(ACCOUNT_STATUSES)

const account = {
  id,
  platform,
  name: z.string(),
  externalId: z.string(),
  ownerId: z.string(),
  status,
  statusReason: textOrNull,
  serviceUrl: textOrNull,
  failure: z.strictObject({ class: z.string(), code: z.string(), count, since: time }).nullable(),
  lastRefreshedAt: timeOrNull,
  nextRefreshAt: time,
  accessExpiresAt: timeOrNull,
  diesAt: timeOrNull,
}

/** Of every `accounts add`, and of each line of `accounts export`. */
export const accountJson = z.strictObject(account)

export const accountsListJson = z.array(accountJson)

export const accountsShowJson = z.strictObject({
  ...account,
  appId: z.string(),
  ownerEmail: textOrNull,
  issuer: textOrNull,
  scopes: z.array(z.string()),
  generation: count,
  connectedAt: time,
  dataAccessExpiresAt: timeOrNull,
  keepsAppPassword: z.boolean(),
  attempt: z.strictObject({ state: z.string(), refreshType: z.string(), beganAt: time }).nullable(),
  lastAttempt: z.strictObject({ outcome: z.string(), at: time }).nullable(),
  pages: z.array(
    z.strictObject({
      id,
      externalId: z.string(),
      name: z.string(),
      status: z.string(),
      statusReason: textOrNull,
      tasks: z.array(z.string()),
      instagramBusinessAccountId: textOrNull,
      tokenExpiresAt: timeOrNull,
      refreshedAt: timeOrNull,
    }),
  ),
})

/** Of `accounts pause`, `resume` and `remove`, in the order of the ids; status: null = it is gone. */
export const accountsOperateJson = z.strictObject({
  accounts: z.array(
    z.union([
      z.strictObject({ id: z.string(), status: status.nullable() }),
      z.strictObject({ id: z.string(), error: z.strictObject({ code: z.string(), message: z.string() }) }),
    ]),
  ),
  failed: count,
})

export const accountsImportJson = z.strictObject({
  imported: count,
  present: count.describe('there already, and left as they are'),
  rejected: count,
  reasons: z.record(z.string(), count).describe('how many were rejected, by code'),
  rejects: z
    .array(z.strictObject({ line: count, code: z.string(), message: z.string() }))
    .describe('the first 20 of them'),
  rejectsFile: textOrNull.describe('where all of them are, with their secrets'),
  durationMs: count,
  perSecond: count,
})
