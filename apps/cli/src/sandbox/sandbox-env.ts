import { createHash, randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Env } from '@tokenkeeper/config'
import type { SandboxGraph } from './graph.ts'

/** Where the sandbox keeps its own database, key and spool. */
export function sandboxDir(dataDir: string): string {
  return join(dataDir, 'sandbox')
}

/** Where the hosts of the sandbox are, and which app it is there. */
export interface SandboxHosts {
  readonly pds: { readonly url: string; readonly plcUrl: string }
  readonly graph: Pick<SandboxGraph, 'apps'> & { readonly emulator: Pick<SandboxGraph['emulator'], 'urls'> }
}

/**
 * The sandbox's own configuration, in a data directory and below a queue prefix of its own. Of the real one only Redis
 * and logging are taken over: nothing of the user's can be touched.
 */
export function sandboxEnv(variables: Env, dataDir: string, hosts?: SandboxHosts): Env {
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
    ...(hosts && { ...blueskyEnv(hosts.pds), ...graphEnv(hosts.graph) }),
  }
}

function blueskyEnv({ url, plcUrl }: SandboxHosts['pds']): Env {
  return { PLC_URL: plcUrl, ALLOWED_PRIVATE_HOSTS: [url, plcUrl].map((it) => new URL(it).host).join() }
}

function graphEnv({ apps, emulator: { urls } }: SandboxHosts['graph']): Env {
  return {
    APP_ID: apps.facebook.id,
    APP_SECRET: apps.facebook.secret,
    META_GRAPH_URL: urls.facebook,
    META_DIALOG_URL: urls.facebook,
    INSTAGRAM_APP_ID: apps.instagram.id,
    INSTAGRAM_APP_SECRET: apps.instagram.secret,
    INSTAGRAM_GRAPH_URL: urls.instagram,
    INSTAGRAM_API_URL: urls.instagram,
    INSTAGRAM_DIALOG_URL: urls.instagram,
    THREADS_APP_ID: apps.threads.id,
    THREADS_APP_SECRET: apps.threads.secret,
    THREADS_GRAPH_URL: urls.threads,
    THREADS_DIALOG_URL: urls.threads,
  }
}
