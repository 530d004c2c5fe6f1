import { createHash, randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Env } from '@tokenkeeper/config'

/** Where the sandbox keeps its own database, key and spool. */
export function sandboxDir(dataDir: string): string {
  return join(dataDir, 'sandbox')
}

/**
 * The sandbox's own configuration, in a data directory and below a queue prefix of its own. Of the real one only Redis
 * and logging are taken over: nothing of the user's can be touched.
 */
export function sandboxEnv(
  variables: Env,
  dataDir: string,
  pds?: { readonly url: string; readonly plcUrl: string },
): Env {
  const kept = Object.entries(variables).filter(([name]) => /^(REDIS|LOG)_/.test(name))
  const dir = sandboxDir(dataDir)
  return {
    ...Object.fromEntries(kept),
    DATA_DIR: dir,
    QUEUE_PREFIX: `{tokenkeeper-sandbox-${createHash('sha256').update(resolve(dir)).digest('hex').slice(0, 8)}}`,
    // Lives in this process alone, as its data are made anew at each start.
    TOKEN_ENCRYPTION_KEYS: `sandbox:${randomBytes(32).toString('base64')}`,
    ADMIN_API_KEY: randomBytes(24).toString('hex'),
    API_PORT: '0',
    ...(pds && {
      PLC_URL: pds.plcUrl,
      ALLOWED_PRIVATE_HOSTS: [pds.url, pds.plcUrl].map((url) => new URL(url).host).join(),
    }),
  }
}
