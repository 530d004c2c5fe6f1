import type { Config } from '@tokenkeeper/config'
import { type AppContext, createContext } from '@tokenkeeper/context'
import { createLoggers } from '@tokenkeeper/telemetry'
import type { Output } from './output.ts'

/** Every dependency of a command. The log goes to stderr where stdout is for the result alone. */
export function openContext(config: Config, output: Output): Promise<AppContext> {
  return createContext(config, { loggers: loggersFor(config, output) })
}

export function loggersFor({ log }: Pick<Config, 'log'>, { logTo }: Output): ReturnType<typeof createLoggers> {
  return createLoggers({ ...log, destination: logTo })
}
