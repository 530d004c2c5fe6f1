import { execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const RELAY = fileURLToPath(new URL('relay.ts', import.meta.url))

/** Another machine: a network namespace, joined to this one by a cable that can be pulled. */
export interface Machine extends AsyncDisposable {
  /** Runs an entry there; resolves when a line matches. */
  run(
    entry: string,
    ready: RegExp,
    options?: { args?: readonly string[]; env?: Readonly<Record<string, string>> },
  ): Promise<Program>
  pullCable(): void
  plugIn(): void
}

export interface Program {
  readonly lines: readonly string[]
  kill(): void
}

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })

/** Can namespaces be made here? Needs root and iproute2. */
export function machinesAvailable(): boolean {
  try {
    const name = `tk${process.pid}-try`
    ip('netns', 'add', name)
    ip('netns', 'del', name)
    return true
  } catch {
    return false
  }
}

/** A machine on which the servers of this one appear at 127.0.0.1, on the same ports. */
export async function startMachine(number: number, ports: readonly number[]): Promise<Machine> {
  const name = `tk${process.pid}-${number}`
  const [here, there] = [`tk${process.pid % 10_000}h${number}`, `tk${process.pid % 10_000}t${number}`]
  const net = `10.${200 + (process.pid % 50)}.${number}`
  const programs: ReturnType<typeof spawn>[] = []

  ip('netns', 'add', name)
  ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name)
  ip('addr', 'add', `${net}.1/30`, 'dev', here)
  ip('link', 'set', here, 'up')
  for (const [device, address] of [
    ['lo', null],
    [there, `${net}.2/30`],
  ] as const) {
    if (address) ip('-n', name, 'addr', 'add', address, 'dev', device)
    ip('-n', name, 'link', 'set', device, 'up')
  }

  function start(command: string, args: readonly string[], ready: RegExp, env = {}): Promise<Program> {
    const { PATH = '', HOME = '' } = process.env
    const child = spawn(command, args, { env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    programs.push(child)
    const lines: string[] = []
    return new Promise((resolve, reject) => {
      const read = (line: string) => {
        lines.push(line)
        if (ready.test(line)) resolve({ lines, kill: () => void child.kill('SIGKILL') })
      }
      for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', read)
      child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}:\n${lines.join('\n')}`)))
    })
  }
  const inside = (entry: string, args: readonly string[]) => ['netns', 'exec', name, process.execPath, entry, ...args]

  const wanted = ports.map(String)
  await start(process.execPath, [RELAY, `${net}.1`, '127.0.0.1', ...wanted], /^relaying$/)
  await start('ip', inside(RELAY, ['127.0.0.1', `${net}.1`, ...wanted]), /^relaying$/)

  return {
    run: (entry, ready, { args = [], env = {} } = {}) => start('ip', inside(entry, args), ready, env),
    pullCable: () => void ip('link', 'set', here, 'down'),
    plugIn: () => void ip('link', 'set', here, 'up'),
    async [Symbol.asyncDispose]() {
      for (const child of programs) child.kill('SIGKILL')
      ip('netns', 'del', name)
    },
  }
}
