import { execFile, spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { until } from '@tokenkeeper/testkit'

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PM2 = join(ROOT, 'node_modules', 'pm2', 'bin', 'pm2')
const ECOSYSTEM = join(ROOT, 'ecosystem.config.js')

export interface Pm2Process {
  readonly id: number
  readonly name: string
  readonly pid: number
  /** online, launching, stopping, stopped, errored, waiting restart */
  readonly status: string
  readonly restarts: number
  readonly exitCode: number | undefined
  readonly nodeVersion: string
  /** Bytes. */
  readonly memory: number
  readonly killTimeoutMs: number
  /** Bytes. */
  readonly maxMemoryRestart: number
  readonly autorestart: boolean
  readonly nodeEnv: string
}

export interface Pm2 extends AsyncDisposable {
  /** `pm2 start ecosystem.config.js` for some of its apps (all without a name); resolves when they are ready. */
  start(...apps: string[]): Promise<void>
  /** Any command of PM2; resolves to what it prints. */
  run(...args: string[]): Promise<string>
  /** A script of package.json. */
  npmRun(...args: string[]): Promise<string>
  /** The processes of one app, or all; the apps' names are given without `tokenkeeper-`. */
  processes(app?: string): Promise<Pm2Process[]>
  /** What the apps have logged. */
  logs(): string
}

export interface Pm2Options {
  /** Holds PM2_HOME. */
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
  /** The Node that runs PM2 itself. Default: that of this process. */
  readonly node?: string
}

/** The real PM2 with the real ecosystem.config.js, its daemon and home its own. Killed on dispose, or when this process dies. */
export function createPm2({ dir, env, node = process.execPath }: Pm2Options): Pm2 {
  const home = join(dir, 'pm2')
  const { PATH = '' } = process.env
  const options = { cwd: dir, env: { PATH, HOME: dir, PM2_HOME: home, ...env }, maxBuffer: 64 * 1024 * 1024 }
  const run = async (...args: string[]) =>
    (await promisify(execFile)(node, [PM2, ...args], { ...options, timeout: 100_000 })).stdout

  const npmRun = async (...args: string[]) =>
    (await promisify(execFile)('npm', ['run', ...args], { ...options, cwd: ROOT, timeout: 100_000 })).stdout

  // The daemon is detached: should this process die, a shell that waits for its input to close ends it.
  const watchdog = spawn('/bin/sh', ['-c', 'read _; exec "$0" "$@"', node, PM2, 'kill'], {
    ...options,
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watchdog.unref()

  return {
    run,
    npmRun,
    async start(...apps) {
      await run(
        'start',
        ECOSYSTEM,
        ...(apps.length > 0 ? ['--only', apps.map((app) => `tokenkeeper-${app}`).join()] : []),
      )
    },
    async processes(app) {
      const all: Pm2Process[] = JSON.parse(await run('jlist')).map(processOf)
      return app === undefined ? all : all.filter(({ name }) => name === `tokenkeeper-${app}`)
    },
    logs: () =>
      globSync(join(home, 'logs', '*.log'))
        .map((path) => readFileSync(path, 'utf8'))
        .join('\n'),
    async [Symbol.asyncDispose]() {
      // Ends the apps as well, with their time to finish.
      await run('kill')
      watchdog.kill('SIGKILL')
      await until(() => !existsSync(join(home, 'rpc.sock')), { what: 'PM2 to end' })
    },
  }
}

// biome-ignore lint/suspicious/noExplicitAny: PM2's own shape
function processOf({ pm_id, name, pid, monit, pm2_env }: any): Pm2Process {
  const { status, restart_time, exit_code, node_version, kill_timeout, max_memory_restart, autorestart } = pm2_env
  return {
    id: pm_id,
    name,
    pid,
    status,
    restarts: restart_time,
    exitCode: exit_code,
    nodeVersion: node_version,
    memory: monit.memory,
    killTimeoutMs: kill_timeout,
    maxMemoryRestart: max_memory_restart,
    autorestart,
    nodeEnv: pm2_env.env?.NODE_ENV ?? pm2_env.NODE_ENV,
  }
}

/** A Node on PATH that is not the one that runs this: what a user's shell has. */
export function anotherNode(): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'node'))
    .find((path) => existsSync(path) && realpathSync(path) !== realpathSync(process.execPath))
}
