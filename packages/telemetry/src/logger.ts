import { isatty } from 'node:tty'
import { destination as fileDestination, type Logger, pino } from 'pino'
import { isColorSupported, prettyFactory } from 'pino-pretty'
import { scrubEntry } from './scrub.ts'
import { serializeError } from './serialize-error.ts'

export type { Logger } from 'pino'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

export interface LogOptions {
  readonly level: LogLevel
  /** `pretty`: one readable line each, for people. `json`: one JSON object each, for programs. */
  readonly format: 'pretty' | 'json'
  /** A file descriptor (default 1, stdout), or anything that takes lines. */
  readonly destination?: number | LineSink
}

export interface LineSink {
  write(line: string): unknown
}

/**
 * A maker of loggers, one for each subsystem, named `tokenkeeper:<subsystem>`. Every line passes {@link scrubEntry},
 * whoever logs it and however. Lines are written synchronously, so that those before a crash or an exit are not lost.
 */
export function createLoggers(options: LogOptions): (subsystem: string) => Logger {
  const withStack = options.level === 'debug' || options.level === 'trace'
  const serialize = (error: unknown) => serializeError(error, withStack)
  const root = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      serializers: { err: serialize, error: serialize, cause: serialize, reason: serialize },
    },
    scrubbing(options),
  )
  return (subsystem) => root.child({ name: `tokenkeeper:${subsystem}` })
}

function scrubbing({ format, destination = 1 }: LogOptions): LineSink {
  const sink = typeof destination === 'number' ? fileDestination({ fd: destination, sync: true }) : destination
  const render = format === 'pretty' ? prettyLine(destination) : jsonLine
  return {
    write(line) {
      sink.write(render(line))
    },
  }
}

function jsonLine(line: string): string {
  return `${JSON.stringify(scrubEntry(JSON.parse(line)))}\n`
}

function prettyLine(destination: number | LineSink): (line: string) => string {
  const pretty = prettyFactory({
    colorize: typeof destination === 'number' && isatty(destination) && isColorSupported,
    ignore: 'pid',
    singleLine: true,
    errorLikeObjectKeys: [],
    translateTime: 'SYS:HH:MM:ss.l',
  })
  return (line) => pretty(scrubEntry(JSON.parse(line)))
}
