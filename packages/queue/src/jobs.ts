import { CodedError } from '@tokenkeeper/core'
import { z } from 'zod'

const id = z.string().regex(/^[0-9a-f]{24}$/)

/** Job data are readable in Redis and on dashboards: ids and flags only, never a secret. */
export const refreshJobSchema = z.strictObject({
  accountId: id,
  type: z.enum(['scheduled', 'manual', 'on_demand', 'test']),
  force: z.boolean(),
  seen: z.string().max(100).optional(),
})
export type RefreshJob = z.infer<typeof refreshJobSchema>

export const pagesJobSchema = z.strictObject({ accountId: id })

/** What the refresh queues hold, by the name of the job: `refresh-account`, and `fetch-pages`. */
export const accountJobSchema = z.union([refreshJobSchema, pagesJobSchema])
export type AccountJob = z.infer<typeof accountJobSchema>

export const refreshAllJobSchema = z.strictObject({ scheduleId: z.string().min(1).max(100) })

/** `waits`: how often in a row the run's job found nothing new; it sets the pause until the next look. */
export const runJobSchema = z.strictObject({ runId: id, waits: z.int().min(0) })
export type RunJob = z.infer<typeof runJobSchema>

export type ScheduleJob = RunJob | z.infer<typeof refreshAllJobSchema> | Record<string, never>

/** Rejects what is malformed with JOB_INVALID; anybody with access to Redis can write jobs. */
export function parseJob<T>(schema: z.ZodType<T>, data: unknown): T {
  const parsed = schema.safeParse(data)
  if (!parsed.success) throw new CodedError('JOB_INVALID', { internal: z.prettifyError(parsed.error) })
  return parsed.data
}
