import { FINDING_CODES, WHY_CODES } from '@tokenkeeper/engine'
import { z } from 'zod'
import { count, id, platform, time, timeOrNull } from './forms.ts'

const refreshType = z.enum(['scheduled', 'manual', 'on_demand', 'test'])
const outcome = z.enum([
  'refreshed',
  'failed',
  'ambiguous',
  'held',
  'dead',
  'needs_action',
  'interrupted',
  'superseded',
  'removed',
])
const status = z.enum(['active', 'paused', 'needs_action', 'needs_reconnect', 'quarantined', 'removing'])
const pageStatus = z.enum(['active', 'needs_permission', 'missing', 'lost'])
const rate = z.number().min(0).max(1).nullable().describe('null = nothing was refreshed')

const ending = {
  id,
  accountId: id.describe("a Page's account; an account's own id"),
  platform,
  name: z.string(),
  statusReason: z.string().nullable(),
  endsAt: time,
  daysLeft: z.number().describe('negative if it is over'),
  nextRefreshAt: timeOrNull.describe('of the account; null = a person has to see to it'),
}

export const expiringJson = z.strictObject({
  expiring: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('account'), status, endOf: z.enum(['token', 'data_access']), ...ending }),
      z.strictObject({ kind: z.literal('page'), status: pageStatus, endOf: z.literal('token'), ...ending }),
    ]),
  ),
  more: z.boolean().describe('there are more than --limit'),
})

export const logJson = z.array(
  z.strictObject({
    id: z.string(),
    at: time,
    accountId: id,
    name: z.string(),
    platform: platform.nullable().describe('null = the account is gone'),
    pageId: id.nullable().describe('null = of the account itself'),
    pageName: z.string().nullable(),
    refreshType,
    outcome,
    success: z.boolean(),
    errorCode: z.string().nullable(),
    errorMessage: z.string().nullable(),
    oldExpiresAt: timeOrNull,
    newExpiresAt: timeOrNull,
    extension: z.enum(['extended', 'same_expiry', 'unknown']).nullable(),
    generation: count,
    durationMs: z.number(),
  }),
)

const counts = { total: count, successful: count, successRate: rate }

export const statsJson = z.strictObject({
  since: time,
  days: count,
  ...counts,
  types: z.array(z.strictObject({ refreshType, ofPages: z.boolean(), ...counts })).describe('test is in no total'),
  failures: z
    .array(
      z.strictObject({
        outcome,
        errorCode: z.string().nullable(),
        message: z.string().nullable(),
        count,
        lastAt: time,
      }),
    )
    .describe('the ten most frequent'),
})

const finding = { text: z.string(), at: timeOrNull }

export const explainJson = z.strictObject({
  account: z.strictObject({
    id,
    platform,
    name: z.string(),
    externalId: z.string(),
    ownerId: z.string(),
    status,
    statusReason: z.string().nullable(),
    generation: count,
  }),
  isDue: z.boolean(),
  nextAt: timeOrNull.describe('of what is due: since when; null = not before somebody does something'),
  why: z.strictObject({ code: z.enum(WHY_CODES), ...finding }),
  attempt: z
    .strictObject({
      id: z.string(),
      state: z.enum(['live', 'released', 'held']),
      workerId: z.string(),
      refreshType,
      tokenDigest: z.string(),
      beganAt: time,
      firstSentAt: time,
      unknownSince: timeOrNull,
      leaseUntil: timeOrNull,
      notBefore: timeOrNull,
    })
    .nullable(),
  findings: z.array(z.strictObject({ code: z.enum(FINDING_CODES), ...finding })),
  lineage: z.array(
    z.strictObject({
      generation: count,
      attempts: z.array(
        z.strictObject({
          id: z.string(),
          tokenDigest: z.string(),
          refreshType,
          outcome: z.enum([...outcome.options, 'standing']),
          errorCode: z.string().nullable(),
          at: time,
        }),
      ),
    }),
  ),
})
