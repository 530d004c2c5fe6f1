import { COPIED_KINDS } from '@tokenkeeper/store'
import { z } from 'zod'
import { count } from './forms.ts'

const day = z.iso.date()
const kind = z.enum(COPIED_KINDS)

export const storeCopyJson = z.strictObject({
  same: z.boolean(),
  kinds: z.record(kind, z.strictObject({ read: count, same: count, copied: count, different: count })),
  differences: z.array(
    z.strictObject({ kind, id: z.string(), reason: z.enum(['newer', 'different', 'only_in_target', 'changed']) }),
  ),
  durationMs: count,
})

export const backupJson = z.strictObject({
  file: z.string(),
  from: z.enum(['sqlite', 'mongodb']),
  bytes: count,
  tables: z.record(z.string(), count),
  changed: count,
  journal: z.strictObject({ since: day.nullable(), files: count, bytes: count, writable: z.boolean() }),
  durationMs: count,
})

export const restoreJson = z.strictObject({
  file: z.string(),
  to: z.enum(['sqlite', 'mongodb']),
  movedAside: z.string().nullable(),
  accounts: count,
  spooled: count,
  stillSpooled: count,
  journal: z
    .strictObject({
      files: count,
      records: count,
      refreshed: count,
      connected: count,
      removed: count,
      unreadable: count,
      unopened: count,
      unknown: count,
      taken: count,
    })
    .nullable(),
  missingKeys: z.array(z.string()),
  durationMs: count,
})
