import { styleText } from 'node:util'
import { toCodedError } from '@tokenkeeper/core'
import { createProgress, type Progress } from './progress.ts'

/** Where a command's words go. With `--json`, stdout holds JSON alone and everything else goes to stderr. */
export interface Output {
  readonly json: boolean
  /** File descriptor for the log. */
  readonly logTo: 1 | 2
  /** A line for people. */
  say(line?: string): void
  /** The result for programs: one JSON value in one line on stdout. Says nothing without `--json`. */
  result(value: unknown): void
  /** Colours a text, on a terminal that has them (NO_COLOR turns them off). */
  paint(style: Style, text: string): string
  /** A bar on the terminal, for what takes more than a second; `total`: undefined = not known. */
  progress(label: string, total?: number): Progress
}

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

export interface OutputOptions {
  readonly json: boolean
  /** The log is part of what a person came to see; else it goes to stderr. */
  readonly showLog: boolean
}

export function createOutput({ json, showLog }: OutputOptions): Output {
  const words = json ? process.stderr : process.stdout
  return {
    json,
    logTo: showLog && !json ? 1 : 2,
    say: (line = '') => void words.write(`${line}\n`),
    result: (value) => void (json && process.stdout.write(`${JSON.stringify(value)}\n`)),
    paint: (style, text) => styleText(style, text, { stream: words }),
    progress: createProgress,
  }
}

/** The stable code and what to do: neither a stack nor what a provider or a library said. */
export function reportError(error: unknown, { json, result }: Output): void {
  const { code, message } = toCodedError(error)
  if (json) result({ error: { code, message } })
  process.stderr.write(`${code}: ${message}${code === 'INTERNAL' ? ' LOG_LEVEL=debug shows more.' : ''}\n`)
}
