import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '@tokenkeeper/config'
import { type KeyRing, loadOrCreateDevelopmentKey, parseKeyRing } from '@tokenkeeper/store'

/** The configured keys, or those that development has made; null where there are none yet. Makes none by looking. */
export function existingKeyRing({ keys, dataDir }: Pick<Config, 'keys' | 'dataDir'>): KeyRing | null {
  if (keys) return parseKeyRing(keys.reveal())
  return existsSync(join(dataDir, 'keys')) ? parseKeyRing(loadOrCreateDevelopmentKey(dataDir)) : null
}
