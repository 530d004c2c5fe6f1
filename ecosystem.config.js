/**
 * The fleet under PM2; docs/deployment.md tells how it is run. PM2 may run on any Node from 20.12; the apps get the
 * pinned one. What is read here is only what PM2 must know: the apps read their own configuration.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'

const root = dirname(fileURLToPath(import.meta.url))
const env = { ...readEnvFile(join(root, '.env')), ...process.env }

/** `.env` may hold what is set here, as it may hold the apps' configuration. */
function readEnvFile(path) {
  return existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {}
}

/** The Node of this project's platform package; where none is installed, the one that runs PM2. */
function pinnedNode() {
  const system = process.platform === 'win32' ? 'win' : process.platform
  const names = [`node-${system}-${process.arch}`, `node-bin-${system}-${process.arch}`]
  const binary = process.platform === 'win32' ? 'node.exe' : 'node'
  const paths = names.map((name) => join(root, 'node_modules', name, 'bin', binary))
  return paths.find((path) => existsSync(path)) ?? process.execPath
}

function wholeNumber(name, fallback) {
  const text = env[name]?.trim() || `${fallback}`
  if (!/^\d{1,6}$/.test(text)) throw new Error(`${name} must be a whole number`)
  return Number(text)
}

/** An answer that comes at the last moment must still be committed: a worker closes within time-out + 10 s. */
const STOP_MARGIN_MS = 15_000

function app(name, instances, more = {}) {
  return {
    name: `tokenkeeper-${name}`,
    script: `apps/${name}/src/main.ts`,
    cwd: root,
    interpreter: pinnedNode(),
    // One process each: BullMQ shares the work out, and nothing but the api listens.
    exec_mode: 'fork',
    instances,
    autorestart: true,
    // While Redis or the store is away a start fails at once: try again, more slowly, for ever.
    exp_backoff_restart_delay: 100,
    max_memory_restart: env.TOKENKEEPER_MAX_MEMORY?.trim() || '1G',
    // A start has succeeded when the app says that it is ready.
    wait_ready: true,
    listen_timeout: 20_000,
    kill_timeout: wholeNumber('PROVIDER_TIMEOUT_MS', 30_000) + STOP_MARGIN_MS,
    merge_logs: true,
    // PM2's own probes in our processes, and its look at git, are of no use here.
    pmx: false,
    vizion: false,
    ...more,
    env: {
      NODE_ENV: 'production',
      // Compiled once and kept: starts take half the time.
      NODE_COMPILE_CACHE: join(root, '.data', 'compile-cache'),
      ...more.env,
    },
  }
}

/** Each has a port of its own, counted up from API_PORT. PM2 could count, but forgets it at a reload. */
function api(index) {
  const first = wholeNumber('API_PORT', 3_000)
  const name = index === 0 ? 'tokenkeeper-api' : `tokenkeeper-api-${index + 1}`
  return app('api', 1, { name, env: { API_PORT: first === 0 ? 0 : first + index } })
}

export const apps = [
  app('scheduler', wholeNumber('TOKENKEEPER_SCHEDULERS', 1)),
  app('worker', wholeNumber('TOKENKEEPER_WORKERS', 1)),
  ...Array.from({ length: wholeNumber('TOKENKEEPER_APIS', 1) }, (_, index) => api(index)),
  // PM2 would take 0 for "as many as there are processors".
].filter(({ instances }) => instances > 0)
