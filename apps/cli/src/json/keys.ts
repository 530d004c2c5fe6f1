import { z } from 'zod'
import { count, id, timeOrNull } from './forms.ts'

export const keysStatusJson = z.array(
  z.strictObject({
    keyId: z.string(),
    state: z.enum(['seals', 'opens', 'missing']),
    current: count,
    previous: count,
    former: count,
    appPasswords: count,
    pages: count,
    spooled: count,
    journaled: count,
    mayBeDropped: z.boolean(),
    journaledUntil: timeOrNull,
  }),
)

export const keysRotateJson = z.strictObject({
  resealed: count,
  failed: count,
  failures: z.array(z.strictObject({ accountId: id, code: z.string() })),
  interrupted: z.boolean(),
  keys: keysStatusJson,
})
