import { type Config, type Environment, loadConfig, readEnv } from '@tokenkeeper/config'
import { sandboxEnv } from './sandbox/sandbox-env.ts'

/** The directory that `sandbox` below it or the real files are in. */
export function dataDirOf({ variables }: Environment): string {
  return variables.DATA_DIR?.trim() || '.data'
}

/** The configuration of the real thing, or of the sandbox's data. Throws CONFIG_INVALID. */
export function loadSettings(sandbox = false): Config {
  const environment = readEnv()
  return loadConfig(sandbox ? sandboxEnv(environment.variables, dataDirOf(environment)) : environment.variables)
}
