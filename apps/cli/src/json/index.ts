import type { z } from 'zod'
import { accountJson, accountsImportJson, accountsListJson, accountsOperateJson, accountsShowJson } from './accounts.ts'
import { apiKeysCreateJson, apiKeysListJson, apiKeysRevokeJson } from './api-keys.ts'
import { doctorJson } from './doctor.ts'
import { haltsEndJson, haltsJson } from './halts.ts'
import { keysRotateJson, keysStatusJson } from './keys.ts'
import { refreshJson, testRefreshJson } from './refresh.ts'
import { expiringJson, explainJson, logJson, statsJson } from './reports.ts'
import { scheduleJson, schedulesListJson, schedulesRemoveJson, schedulesRunJson } from './schedules.ts'
import { startJson } from './start.ts'
import { backupJson, restoreJson, storeCopyJson } from './store.ts'

/** What each command prints with `--json`, by its name. Every group adds its own. */
export const JSON_OF: Readonly<Record<string, z.ZodType>> = {
  start: startJson,
  refresh: refreshJson,
  'test-refresh': testRefreshJson,
  expiring: expiringJson,
  log: logJson,
  stats: statsJson,
  explain: explainJson,
  'schedules list': schedulesListJson,
  'schedules set': scheduleJson,
  'schedules on': scheduleJson,
  'schedules off': scheduleJson,
  'schedules remove': schedulesRemoveJson,
  'schedules run': schedulesRunJson,
  'accounts add bluesky': accountJson,
  'accounts add meta': accountJson,
  'accounts add instagram': accountJson,
  'accounts add threads': accountJson,
  'accounts list': accountsListJson,
  'accounts show': accountsShowJson,
  'accounts pause': accountsOperateJson,
  'accounts resume': accountsOperateJson,
  'accounts remove': accountsOperateJson,
  'accounts import': accountsImportJson,
  doctor: doctorJson,
  'halts list': haltsJson,
  'halts end': haltsEndJson,
  'api-keys create': apiKeysCreateJson,
  'api-keys list': apiKeysListJson,
  'api-keys revoke': apiKeysRevokeJson,
  'keys status': keysStatusJson,
  'keys rotate': keysRotateJson,
  backup: backupJson,
  restore: restoreJson,
  'store copy': storeCopyJson,
}
