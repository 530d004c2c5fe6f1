import { z } from 'zod'

export const doctorJson = z.strictObject({
  ok: z.boolean().describe('false: something failed'),
  findings: z.array(
    z.strictObject({
      check: z.string(),
      status: z.enum(['ok', 'warning', 'failed', 'skipped']),
      says: z.string(),
      mend: z.string().nullable().describe('what to do; null where all is well'),
    }),
  ),
})
