import { startApi } from '@tokenkeeper/api'
import { openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { startServices } from '../run/services.ts'
import { untilAborted } from '../run/until-aborted.ts'
import { loadSettings } from '../settings.ts'
import { stopSignal } from '../stop-signal.ts'

/** Scheduler, workers and API for services: everything is configured, nothing is looked for. */
export async function serve(_options: object, output: Output): Promise<number> {
  const signal = stopSignal()
  await using context = await openContext(loadSettings(), output)
  await using _services = await startServices(await context.connectRedis())
  await using _api = await startApi(context)
  const logger = context.loggers('cli')
  logger.info('serving')
  process.send?.('ready')
  await untilAborted(signal)
  logger.info('stopping: refreshes in flight are finished first')
  return 0
}
