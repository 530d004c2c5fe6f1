import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { dieWithParent } from '../die-with-parent.ts'
import { freePort } from '../ports.ts'
import { tempDir } from '../temp-dir.ts'
import { until } from '../until.ts'
import { canConnect } from './can-connect.ts'
import { mongodOnPath } from './mongo-server.ts'

/** A server of MongoDB's protocol that nobody else uses, so that it may be killed. */
export interface MongoProcess extends AsyncDisposable {
  databaseUrl(name: string): string
  /** SIGKILL; resolves when the process is gone. What was acknowledged stays. */
  kill(): Promise<void>
  /** Starts again on the same port, with the same data. */
  start(): Promise<void>
}

/**
 * `mongod` on the PATH, standing alone; or one more gateway before the database that `.ci/provision-mongo` keeps
 * running. Null where there is neither.
 */
export async function startMongoProcess(): Promise<MongoProcess | null> {
  await using stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const port = await freePort()
  const command = mongodCommand(port, dir.path) ?? (await gatewayCommand(port, dir.path))
  if (command === null) return null
  const url = `mongodb://127.0.0.1:${port}/`
  let running: ChildProcess

  async function start(): Promise<void> {
    running = spawn(command!.program, command!.args, { stdio: 'ignore', detached: true })
    dieWithParent(running)
    await until(() => canConnect(url), { what: 'the MongoDB to listen' })
  }
  async function kill(): Promise<void> {
    if (running.exitCode !== null || running.signalCode !== null) return
    const exit = once(running, 'exit')
    running.kill('SIGKILL')
    await exit
  }

  await start()
  stack.defer(kill)
  const rest = stack.move()
  return {
    databaseUrl: (name) => `${url}${name}`,
    kill,
    start,
    [Symbol.asyncDispose]: () => rest.disposeAsync() as Promise<void>,
  }
}

interface Command {
  readonly program: string
  readonly args: readonly string[]
}

function mongodCommand(port: number, dir: string): Command | null {
  const program = mongodOnPath()
  if (program === undefined) return null
  return { program, args: ['--bind_ip', '127.0.0.1', '--port', `${port}`, '--dbpath', dir] }
}

/** As the one that runs was started, but for where it listens and keeps its state. */
async function gatewayCommand(port: number, dir: string): Promise<Command | null> {
  try {
    const pid = await readFile(join(homedir(), '.cache', 'tokenkeeper-mongo', 'gateway.pid'), 'utf8')
    const [program = '', database = ''] = (await readFile(`/proc/${pid.trim()}/cmdline`, 'utf8')).split('\0')
    return { program, args: [database, `127.0.0.1:${port}`, dir] }
  } catch {
    return null
  }
}
