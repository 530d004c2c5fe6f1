import { z } from 'zod'
import { count, id, platform, time, timeOrNull } from './forms.ts'

const counts = { total: count, refreshed: count, failed: count, skipped: count, deferred: count }

export const scheduleJson = z.strictObject({
  id: z.string(),
  cron: z.string(),
  timezone: z.string(),
  platforms: z.array(platform).nullable().describe('null = all'),
  state: z.enum(['on', 'off', 'over']),
  limit: count.nullable().describe('how many runs it starts in all; null = no end'),
  startedRuns: count,
  runsLeft: count.nullable(),
  nextAt: timeOrNull,
  missedAt: timeOrNull.describe('a time that has come, and no scheduler has started its run'),
  lastRun: z
    .strictObject({
      id,
      status: z.enum(['running', 'finished']),
      startedAt: time,
      finishedAt: timeOrNull,
      totals: z.strictObject(counts),
    })
    .nullable(),
  isDefault: z.boolean(),
  pinnedBy: z.array(z.string()).describe('the variables of the environment that set parts of it'),
  warning: z.string().nullable(),
})

export const schedulesListJson = z.array(scheduleJson)
export const schedulesRemoveJson = z.strictObject({ removed: z.string() })
export const schedulesRunJson = z.strictObject({
  runId: id,
  isNew: z.boolean().describe('false: a run of this schedule went on already'),
})
