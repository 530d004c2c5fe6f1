import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { dieWithParent } from './die-with-parent.ts'

export interface SpawnNodeOptions {
  /** Added to PATH and HOME: nothing else of this process's environment reaches the child. */
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly cwd?: string
  /** Opens an IPC channel: use `child.send` and `child.on('message')`. */
  readonly ipc?: boolean
  /** An open file that takes its stdout; none of it is in `lines` then. */
  readonly stdoutFd?: number
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface NodeProcess extends AsyncDisposable {
  readonly child: ChildProcess
  readonly pid: number
  /** Resolves once the process has ended and all its output is read. */
  readonly exited: Promise<Exit>
  /** All lines so far, stdout and stderr in the order of arrival. */
  readonly lines: readonly string[]
  readonly stdoutLines: readonly string[]
  kill(signal?: NodeJS.Signals): void
  /**
   * The first line that matches, also one that was printed already. Use no stateful (g or y) expression.
   * @throws Error with the last output, if the process ends or timeoutMs (default 60 s) passes first.
   */
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>
}

/** Runs a TypeScript or JavaScript entry by the same Node as this process. Killed on dispose, or when this one dies. */
export function spawnNode(entryPath: string, options: SpawnNodeOptions = {}): NodeProcess {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [entryPath, ...(options.args ?? [])], {
    env: { PATH, HOME, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['ignore', options.stdoutFd ?? 'pipe', 'pipe', ...(options.ipc ? ['ipc' as const] : [])],
  })
  dieWithParent(child)

  const lines: string[] = []
  const stdoutLines: string[] = []
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const check of waiting) check()
  }
  const collect = (stream: NodeJS.ReadableStream, into: readonly string[][]) =>
    createInterface({ input: stream }).on('line', (line) => {
      for (const list of into) list.push(line)
      wake()
    })
  if (child.stdout) collect(child.stdout, [lines, stdoutLines])
  collect(child.stderr!, [lines])

  let exit: Exit | undefined
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      exit = { code, signal }
      wake()
      resolve(exit)
    })
  })
  exited.catch(() => {})

  const waitForLine = (pattern: RegExp, timeoutMs = 60_000) =>
    new Promise<RegExpMatchArray>((resolve, reject) => {
      let seen = 0
      const settle = (outcome: () => void) => {
        clearTimeout(timer)
        waiting.delete(check)
        outcome()
      }
      const fail = (why: string) =>
        settle(() => reject(new Error(`${why} before a line matched ${pattern}:\n${lines.slice(-20).join('\n')}`)))
      const check = () => {
        for (; seen < lines.length; seen += 1) {
          const found = lines[seen]?.match(pattern)
          if (found) return settle(() => resolve(found))
        }
        if (exit) fail(`The process ended (${exit.signal ?? exit.code})`)
      }
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs)
      waiting.add(check)
      check()
    })

  return {
    child,
    pid: child.pid ?? -1,
    exited,
    lines,
    stdoutLines,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    waitForLine,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited.catch(() => {})
    },
  }
}
