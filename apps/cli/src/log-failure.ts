import { readEnv } from '@tokenkeeper/config'
import { createLoggers } from '@tokenkeeper/telemetry'

/** For LOG_LEVEL=debug: what lies behind an error, without its secrets. */
export function logFailure(error: unknown): void {
  const level = logLevel()
  if (level !== 'debug' && level !== 'trace') return
  createLoggers({ level, format: 'pretty', destination: 2 })('cli').debug({ err: error }, 'failed')
}

function logLevel(): string | undefined {
  try {
    return readEnv().variables.LOG_LEVEL
  } catch {
    return undefined // a .env that cannot be read may be the very failure
  }
}
