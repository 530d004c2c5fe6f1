import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { dieWithParent } from './die-with-parent.ts'
import { freePort, retryTakenPort } from './ports.ts'
import { tempDir } from './temp-dir.ts'
import { until } from './until.ts'

export interface StartRedisOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Existing directory for append-only persistence. Without it nothing survives a stop. */
  readonly appendOnlyDir?: string
  /** The server to run. Default: redisServerPath(). */
  readonly program?: string
  /** More arguments of redis-server: ['--maxmemory', '10mb']. */
  readonly args?: readonly string[]
}

export interface RedisServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves when the process is gone. */
  stop(): Promise<void>
  /** Starts again on the same port. */
  start(): Promise<void>
}

/** The redis-server (or valkey-server) to run: REDIS_SERVER, else the first on PATH. */
export function redisServerPath(): string | undefined {
  const { REDIS_SERVER, PATH = '' } = process.env
  if (REDIS_SERVER) return REDIS_SERVER
  return ['redis-server', 'valkey-server']
    .flatMap((name) => PATH.split(delimiter).map((dir) => join(dir, name)))
    .find(isExecutable)
}

export function redisAvailable(): boolean {
  return redisServerPath() !== undefined
}

/**
 * Runs an own redis-server on loopback, ready when it answers. Killed on dispose, or when this process dies.
 * @throws Error if there is no redis-server, or with its last words if it does not come up.
 */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  const path = options.program ?? redisServerPath()
  if (path === undefined) throw new Error('There is no redis-server: set REDIS_SERVER, or install it on the PATH')
  const dir = options.appendOnlyDir === undefined ? await tempDir() : undefined
  const dataDir = options.appendOnlyDir ?? dir!.path
  const persistence = ['--save', '', '--appendonly', dir ? 'no' : 'yes', '--dir', dataDir]
  const launch = (port: number) =>
    launchRedis(path, ['--bind', '127.0.0.1', '--port', `${port}`, ...persistence, ...(options.args ?? [])], port)

  let port = 0
  let running: ChildProcess
  try {
    running = await retryTakenPort(async () => {
      port = options.port ?? (await freePort())
      return launch(port)
    })
  } catch (error) {
    await dir?.[Symbol.asyncDispose]()
    throw error
  }

  const end = async (signal: NodeJS.Signals) => {
    if (!isRunning(running)) return
    const exit = once(running, 'exit')
    running.kill(signal)
    await exit
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return running.pid ?? -1
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    async start() {
      if (isRunning(running)) return
      running = await retryTakenPort(() => launch(port))
    },
    async [Symbol.asyncDispose]() {
      await end('SIGKILL')
      await dir?.[Symbol.asyncDispose]()
    },
  }
}

async function launchRedis(path: string, args: readonly string[], port: number): Promise<ChildProcess | 'port-taken'> {
  // Out of the terminal's process group, so that Ctrl-C lets its users finish first.
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  dieWithParent(child)
  let log = ''
  const collect = (chunk: Buffer) => {
    log = (log + chunk).slice(-4_000)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const closed = new Promise<'closed'>((resolve) => {
    child.once('close', () => resolve('closed'))
    child.once('error', (error) => {
      log += error.message
      resolve('closed')
    })
  })
  const answered = until(() => !isRunning(child) || answersPing(port, child), {
    what: `redis-server to answer on port ${port}`,
    timeoutMs: 20_000,
  })
  try {
    if ((await Promise.race([answered, closed])) !== 'closed' && isRunning(child)) return child
    await closed
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  if (/address already in use/i.test(log)) return 'port-taken'
  throw new Error(`redis-server did not start: ${log}`)
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

/** Whether this very server, and not another that was faster on the port, is ready: INFO tells its process id. */
function answersPing(port: number, child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\nINFO server\r\n'))
    socket.setTimeout(1_000, () => socket.destroy())
    socket.on('data', (chunk) => {
      answer += chunk
      if (answer.startsWith('-') || answer.includes('process_id:')) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer.startsWith('+PONG') && answer.includes(`process_id:${child.pid}\r`)))
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
