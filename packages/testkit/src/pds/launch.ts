import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { FromPds, PdsSettings, ToPds } from './messages.ts'

export interface RunningPds {
  readonly pid: number
  readonly adminPassword: string
  isAlive(): boolean
  move(did: string, endpoint: string): Promise<void>
  /** Resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>
}

const ENTRY = fileURLToPath(new URL('./pds-process.ts', import.meta.url))
const START_TIMEOUT_MS = 60_000

/** One life of the PDS process, from start to ready. @throws Error with its last words if it does not come up. */
export async function launchPds(settings: PdsSettings): Promise<RunningPds | 'port-taken'> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [ENTRY], {
    env: { PATH, HOME, LOG_ENABLED: 'false' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk) => {
      output = (output + chunk).slice(-4_000)
    })
  }
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', (error) => {
      output += error.message
      if (child.pid === undefined) resolve()
    })
  })
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }

  const first = await firstMessage(child, settings, exited)
  if (first?.kind === 'ready') {
    return {
      pid: child.pid ?? -1,
      adminPassword: first.adminPassword,
      isAlive: () => child.exitCode === null && child.signalCode === null,
      move: mover(child, exited),
      end,
    }
  }
  await end('SIGKILL')
  if (first?.kind === 'failed' && first.portTaken) return 'port-taken'
  throw new Error(`The PDS did not start: ${first?.kind === 'failed' ? first.message : ''} ${output}`)
}

/** Undefined if the process ends, or says nothing in time. */
function firstMessage(child: ChildProcess, settings: PdsSettings, exited: Promise<void>): Promise<FromPds | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), START_TIMEOUT_MS)
    const settle = (message?: FromPds) => {
      clearTimeout(timer)
      resolve(message)
    }
    child.once('message', (message: FromPds) => settle(message))
    void exited.then(() => settle())
    tell(child, { kind: 'start', settings })
  })
}

function mover(child: ChildProcess, exited: Promise<void>) {
  let lastId = 0
  const waiting = new Map<number, (error?: string) => void>()
  child.on('message', (message: FromPds) => {
    if (message.kind === 'moved') waiting.get(message.id)?.(message.error)
  })
  void exited.then(() => {
    for (const settle of waiting.values()) settle('The PDS process ended')
  })
  return (did: string, endpoint: string) =>
    new Promise<void>((resolve, reject) => {
      lastId += 1
      const id = lastId
      waiting.set(id, (error) => {
        waiting.delete(id)
        if (error === undefined) resolve()
        else reject(new Error(`${did} was not moved: ${error}`))
      })
      tell(child, { kind: 'move', id, did, endpoint }, (error) => waiting.get(id)?.(error.message))
    })
}

/** A closed channel is told to onError, not thrown: the process's end is handled where it is awaited. */
function tell(child: ChildProcess, message: ToPds, onError: (error: Error) => void = () => {}): void {
  child.send(message, (error) => {
    if (error) onError(error)
  })
}
