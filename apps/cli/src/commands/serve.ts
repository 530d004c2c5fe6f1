import { startApi } from '@tokenkeeper/api'
import { startHealthServer } from '@tokenkeeper/health'
import { openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { startServices } from '../run/services.ts'
import { untilAborted } from '../run/until-aborted.ts'
import { loadSettings } from '../settings.ts'
import { stopSignal } from '../stop-signal.ts'

export interface ServeOptions {
  readonly api: boolean
}

/**
 * Scheduler, workers and, unless it is left off, the API for services: everything is configured, nothing is looked for.
 * Without the API it serves its health at HEALTH_PORT, as workers do.
 */
export async function serve({ api }: ServeOptions, output: Output): Promise<number> {
  const signal = stopSignal()
  await using context = await openContext(loadSettings(), output)
  await using _services = await startServices(await context.connectRedis())
  // The API serves its own health.
  await using _listening = await (api ? startApi(context) : startHealthServer(context))
  const logger = context.loggers('cli')
  logger.info('serving')
  process.send?.('ready')
  await untilAborted(signal)
  logger.info('stopping: refreshes in flight are finished first')
  return 0
}
