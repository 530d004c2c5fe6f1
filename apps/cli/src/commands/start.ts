import { readEnv } from '@tokenkeeper/config'
import type { Output } from '../output.ts'
import { isUnconfigured } from '../sandbox/is-unconfigured.ts'
import { dataDirOf } from '../settings.ts'
import { stopSignal } from '../stop-signal.ts'
import { startReal } from './start-real.ts'
import { startSandbox } from './start-sandbox.ts'

export interface StartOptions {
  readonly sandbox?: boolean
  readonly once?: boolean
}

/** Everything in one process, with whatever is missing made or found. Resolves when told to end, or after the one run. */
export async function start(options: StartOptions, output: Output): Promise<number> {
  const signal = stopSignal()
  const environment = readEnv()
  const dataDir = dataDirOf(environment)
  const unconfigured = isUnconfigured(environment, dataDir)
  const once = options.once === true
  if (options.sandbox || unconfigured) return startSandbox({ environment, dataDir, unconfigured, once }, output, signal)
  return startReal({ environment, once }, output, signal)
}
