import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { type Clock, CodedError, hasCode, SECOND } from '@tokenkeeper/core'
import { checkRedis } from '@tokenkeeper/queue'
import type { Logger } from '@tokenkeeper/telemetry'
import getPort from 'get-port'
import { tryLock } from '../lock.ts'
import { dieWithUs } from './die-with-us.ts'

/** Looked for on the PATH in this order. */
const SERVERS = ['redis-server', 'valkey-server'] as const
const START_TIMEOUT_MS = 20 * SECOND
const END_TIMEOUT_MS = 5 * SECOND
const TRIES = 5

/** On 127.0.0.1. */
export interface OwnRedis extends AsyncDisposable {
  readonly server: string
  readonly port: number
  readonly password: string
}

/**
 * Starts a Redis of our own on a free loopback port, with append-only persistence in `dir`; null if there is no server
 * on the PATH. It ends with this process. Rejects with REDIS_UNAVAILABLE or REDIS_TOO_OLD.
 */
export async function startOwnRedis(dir: string, clock: Clock, logger: Logger): Promise<OwnRedis | null> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  await using stack = new AsyncDisposableStack()
  const lock = tryLock(`${dir}.lock`)
  if (lock === null) {
    throw new CodedError('REDIS_UNAVAILABLE', {
      publicMessage: `Another Tokenkeeper runs its own Redis in ${dir}. Stop it first, or give both a REDIS_URL.`,
    })
  }
  stack.use(lock)
  for (const server of SERVERS) {
    const running = await launch(server, dir, clock, logger)
    if (running === null) continue
    stack.defer(() => end(running.child))
    const owned = stack.move()
    return { server, port: running.port, password: running.password, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  }
  return null
}

interface Address {
  readonly port: number
  readonly password: string
}

async function launch(
  server: string,
  dir: string,
  clock: Clock,
  logger: Logger,
): Promise<(Address & { readonly child: ChildProcess }) | null> {
  for (let tries = 1; ; tries++) {
    const address = { port: await getPort({ host: '127.0.0.1' }), password: randomBytes(24).toString('base64url') }
    // In a process group of its own, so that Ctrl-C lets the refreshes in flight finish first.
    const child = spawn(server, ['-'], { cwd: dir, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    if (!(await isSpawned(child))) return null
    dieWithUs(child)
    const words = lastWords(child)
    child.stdin.on('error', () => {}) // it may end before it has read all
    // By stdin, so that the password stands in no list of processes.
    child.stdin.end(settings(address))
    try {
      await untilItAnswers(child, address, clock, logger)
      return { child, ...address }
    } catch (error) {
      await end(child)
      if (/address already in use/i.test(words()) && tries < TRIES) continue
      if (hasCode(error, 'REDIS_TOO_OLD')) throw error
      throw new CodedError('REDIS_UNAVAILABLE', {
        publicMessage: `${server} could not be started in ${dir}. Set REDIS_URL to use another Redis.`,
        internal: words(),
        cause: error,
      })
    }
  }
}

function settings({ port, password }: Address): string {
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    'dir .',
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    '',
  ].join('\n')
}

/** False if there is no such program. */
async function isSpawned(child: ChildProcess): Promise<boolean> {
  try {
    await once(child, 'spawn')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Only our own server knows the password, so no other one on this port is taken for it. */
async function untilItAnswers(child: ChildProcess, address: Address, clock: Clock, logger: Logger): Promise<void> {
  const deadline = clock.monotonic() + START_TIMEOUT_MS
  for (;;) {
    try {
      await checkRedis({ host: '127.0.0.1', ...address }, clock, logger)
      return
    } catch (error) {
      if (!hasCode(error, 'REDIS_UNAVAILABLE') || hasEnded(child) || clock.monotonic() > deadline) throw error
    }
    await clock.sleep(25)
  }
}

function lastWords(child: ChildProcess): () => string {
  let words = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk: Buffer) => {
      words = (words + chunk).slice(-2_000)
    })
  }
  return () => words
}

/** SIGTERM lets it write everything out. */
async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const impatience = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS)
  await exit
  clearTimeout(impatience)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
