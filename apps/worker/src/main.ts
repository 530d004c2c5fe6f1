import { loadConfig, readEnv } from '@tokenkeeper/config'
import { createContext, runUntilSignal } from '@tokenkeeper/context'
import { startHealthServer } from '@tokenkeeper/health'
import { startWorkers } from '@tokenkeeper/queue'

await runUntilSignal(async (stack) => {
  const context = stack.use(await createContext(loadConfig(readEnv().variables)))
  stack.use(await startHealthServer(context))
  stack.use(await startWorkers(await context.connectRedis()))
  context.loggers('worker').info({ concurrency: context.config.worker.concurrency }, 'worker is ready')
})
