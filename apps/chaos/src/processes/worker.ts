/** The worker of production in a watched context. */
import { runUntilSignal } from '@tokenkeeper/context'
import { startWorkers } from '@tokenkeeper/queue'
import { openWatchedContext } from './open.ts'

await runUntilSignal(async (stack) => {
  const context = stack.use(await openWatchedContext())
  stack.use(await startWorkers(await context.connectRedis()))
})
