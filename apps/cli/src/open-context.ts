import type { Config } from '@tokenkeeper/config'
import { type AppContext, type ContextOverrides, createContext } from '@tokenkeeper/context'
import { createLoggers } from '@tokenkeeper/telemetry'
import type { Output } from './output.ts'

/** Every dependency of a command. The log goes to stderr where stdout is for the result alone. */
export function openContext(
  config: Config,
  output: Output,
  overrides: Pick<ContextOverrides, 'clock' | 'spool'> = {},
): Promise<AppContext> {
  return createContext(config, { ...overrides, loggers: loggersFor(config, output) })
}

export function loggersFor({ log }: Pick<Config, 'log'>, { logTo }: Output): ReturnType<typeof createLoggers> {
  return createLoggers({ ...log, destination: logTo })
}
