import { z } from 'zod'
import { id, platform, time } from './forms.ts'

export const haltsJson = z.array(
  z.strictObject({
    platform,
    appId: z.string(),
    state: z.enum(['suspected', 'halted']),
    code: z.string(),
    message: z.string(),
    suspects: z.array(id),
    since: time,
    probeAt: time,
  }),
)

export const haltsEndJson = z.strictObject({
  ended: z.array(z.strictObject({ platform, appId: z.string(), code: z.string() })),
})
