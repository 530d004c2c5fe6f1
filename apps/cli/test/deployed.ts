import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@tokenkeeper/core'
import { createSqliteStore } from '@tokenkeeper/store'
import { type Pds, type PdsAccount, tempDir, until } from '@tokenkeeper/testkit'
import { makeDue } from '../src/sandbox/make-due.ts'
import { type Ran, runCli } from './cli.ts'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
export const ENTRY = join(ROOT, 'bin/tokenkeeper')
const DEPLOYMENT = join(ROOT, 'deployment')
/** What systemd gives a service of the system, in the place of the usual PATH. */
const SYSTEMD_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'

/** How a process is started: by what, with nothing else in its environment, and where. */
export interface Start {
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

/**
 * The files of deployment/ as on a machine where they are installed: /opt/tokenkeeper is this checkout, the other places
 * of theirs are below a directory. A `node` that must not be used is the first on every PATH.
 */
export async function deploy(pds: Pds, more: Readonly<Record<string, string>> = {}) {
  const dir = await tempDir()
  const place = (name: string) => join(dir.path, name)
  for (const name of ['etc/credentials', 'lib', 'cache', 'log', 'given', 'wrong']) {
    mkdirSync(place(name), { recursive: true })
  }
  writeFileSync(place('wrong/node'), '#!/bin/sh\necho this is not the Node to use >&2\nexit 99\n', { mode: 0o755 })
  writeFileSync(place('etc/credentials/token_encryption_keys'), `k1:${randomBytes(32).toString('base64')}\n`)
  const installed = (file: string): string =>
    readFileSync(join(DEPLOYMENT, file), 'utf8')
      .replaceAll('/opt/tokenkeeper', ROOT)
      .replaceAll('/etc/tokenkeeper', place('etc'))
      .replaceAll('/var/lib/tokenkeeper', place('lib'))
      .replaceAll('/var/cache/tokenkeeper', place('cache'))
      .replaceAll('/var/log/tokenkeeper', place('log'))
  const settings = {
    PLC_URL: pds.plcUrl,
    ALLOWED_PRIVATE_HOSTS: [pds.url, pds.plcUrl].map((url) => new URL(url).host).join(),
    ...more,
  }
  const added = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(place('etc/.env'), installed('tokenkeeper.env') + added.join(''))

  return {
    dir: dir.path,
    /** The file as it is installed. */
    installed,
    /** What systemd would start for a service. */
    service(file: string): Start {
      const unit = installed(`systemd/${file}`).replaceAll('%d', place('given'))
      const values = (key: string) => [...unit.matchAll(RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value!)
      for (const credential of values('LoadCredential')) {
        const [id, path] = credential.split(':')
        copyFileSync(path!, join(place('given'), id!))
      }
      const path = `PATH=${place('wrong')}:${SYSTEMD_PATH}`
      const [program, ...args] = values('ExecStart')[0]!.split(' ')
      return {
        command: [program!, ...args],
        env: Object.fromEntries([path, ...values('Environment')].map(assignment)),
        cwd: values('WorkingDirectory')[0]!,
      }
    },
    /** What cron would start for the one line of deployment/crontab. */
    cronJob(): Start {
      const lines = installed('crontab').split('\n')
      const settings = Object.fromEntries(lines.filter((line) => /^[A-Z_]+=/.test(line)).map(assignment))
      const [, command] = /^(?:\S+ ){5}tokenkeeper (.+)$/.exec(lines.find((line) => /^\d/.test(line))!)!
      const env = {
        HOME: place('lib'),
        LOGNAME: 'tokenkeeper',
        ...settings,
        PATH: `${place('wrong')}:${settings.PATH}`,
      }
      return { command: [settings.SHELL!, '-c', command!], env, cwd: place('lib') }
    },
    /** Connects the users' accounts; each falls due at once. */
    async connect(users: readonly PdsAccount[]): Promise<string[]> {
      const ids: string[] = []
      for (const user of users) {
        const args = ['--handle', user.handle, '--service', pds.url, '--app-password-stdin', '--json']
        const input = `${await pds.createAppPassword(user)}\n`
        const added = await runCli(['accounts', 'add', 'bluesky', ...args], { cwd: place('etc'), env: {}, input })
        if (added.code !== 0) throw new Error(added.stderr)
        ids.push(JSON.parse(added.stdout).id)
      }
      await using store = createSqliteStore({ path: place('lib/tokenkeeper.db') })
      for (const id of ids) await makeDue({ store, clock: systemClock }, id)
      return ids
    },
    async accounts() {
      await using store = createSqliteStore({ path: place('lib/tokenkeeper.db') })
      return store.accounts.list({ afterId: null, limit: 100 })
    },
    read: (name: string) => readFileSync(place(name), 'utf8'),
    /** A unit where a tool looks for it. */
    stage(file: string): string {
      const path = place(basename(file))
      writeFileSync(path, installed(file))
      return path
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}

function assignment(line: string): [name: string, value: string] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}

export interface Service extends AsyncDisposable {
  /** The first line that matches, of both its outputs. Rejects if it ends before, or after a minute. */
  waitForLine(pattern: RegExp): Promise<RegExpExecArray>
  /** Asks it to end; resolves to its exit code. */
  stop(): Promise<number | null>
}

/** Starts what stays up. Killed when it is disposed. */
export function startService({ command: [program, ...args], env, cwd }: Start): Service {
  const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => lines.push(line))
  }
  const ended = once(child, 'close')
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    async waitForLine(pattern) {
      const find = () => lines.map((line) => pattern.exec(line)).find((found) => found !== null)
      await until(() => find() || hasEnded(), { what: `a line like ${pattern}` })
      const found = find()
      if (!found) throw new Error(`It ended before a line like ${pattern}:\n${lines.join('\n')}`)
      return found
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
      return child.exitCode
    },
    async [Symbol.asyncDispose]() {
      if (!hasEnded()) child.kill('SIGKILL')
      await ended
    },
  }
}

/** Starts it and waits for its end. */
export function runToEnd({ command: [program, ...args], env, cwd }: Start): Promise<Ran> {
  const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}
