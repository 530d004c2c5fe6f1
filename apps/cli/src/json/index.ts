import type { z } from 'zod'
import { apiKeysCreateJson, apiKeysListJson, apiKeysRevokeJson } from './api-keys.ts'
import { haltsEndJson, haltsJson } from './halts.ts'
import { startJson } from './start.ts'

/** What each command prints with `--json`, by its name. Every group adds its own. */
export const JSON_OF: Readonly<Record<string, z.ZodType>> = {
  start: startJson,
  'halts list': haltsJson,
  'halts end': haltsEndJson,
  'api-keys create': apiKeysCreateJson,
  'api-keys list': apiKeysListJson,
  'api-keys revoke': apiKeysRevokeJson,
}
