import { z } from 'zod'
import { count } from './forms.ts'

const counts = { total: count, refreshed: count, failed: count }

/** Of `start --once`. `verified` and `pages`: in the sandbox alone. */
export const startJson = z.strictObject({
  run: z.strictObject({ ...counts, skipped: count }),
  platforms: z.record(z.string(), z.strictObject({ ...counts, pages: count.optional() })),
  verified: z.strictObject({ accessTokensThatWork: count, pageTokensThatWork: count }).optional(),
  durationMs: count,
})
