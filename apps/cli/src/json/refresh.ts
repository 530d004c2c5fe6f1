import { z } from 'zod'
import { count, id, platform, time, timeOrNull } from './forms.ts'

const counts = z.strictObject({ total: count, refreshed: count, failed: count, skipped: count, deferred: count })
const status = z.enum(['active', 'paused', 'needs_action', 'needs_reconnect', 'quarantined', 'removing'])
const account = { accountId: id, platform, name: z.string() }

/** Of a whole run. Not finished: the command was stopped. */
export const refreshRunJson = z.strictObject({
  runId: id,
  finished: z.boolean(),
  run: counts,
  platforms: z.partialRecord(platform, counts),
  failures: z.array(
    z.strictObject({
      ...account,
      code: z.string(),
      message: z.string(),
      status,
      todo: z.string(),
      nextRefreshAt: time,
    }),
  ),
  durationMs: count,
})

/** With `--account`. */
export const refreshAccountJson = z.strictObject({
  ...account,
  outcome: z.enum(['refreshed', 'failed', 'put_off', 'skipped']),
  code: z.string().nullable(),
  message: z.string().nullable(),
  status,
  todo: z.string().nullable(),
  nextRefreshAt: time,
  diesAt: timeOrNull,
})

/** With `--dry-run`; `total` counts also those that `--limit` cut off. */
export const refreshDryRunJson = z.strictObject({
  dryRun: z.literal(true),
  total: count,
  platforms: z.partialRecord(platform, count),
  accounts: z.array(
    z.strictObject({ ...account, status, dueAt: time, diesAt: timeOrNull, why: z.string(), reason: z.string() }),
  ),
})

export const refreshJson = z.union([refreshRunJson, refreshAccountJson, refreshDryRunJson])

/** `spooled`: answers that were left in the spool of the rehearsal. */
export const testRefreshJson = z.strictObject({
  total: count,
  passed: count,
  failed: count,
  spooled: count,
  accounts: z.array(
    z.strictObject({
      ...account,
      passed: z.boolean(),
      problems: z.array(z.string()),
      generation: count,
      nextRefreshAt: time,
      diesAt: timeOrNull,
    }),
  ),
  durationMs: count,
})
