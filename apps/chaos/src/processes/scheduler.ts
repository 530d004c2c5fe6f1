/** The scheduler of production in a watched context. */
import { runUntilSignal } from '@tokenkeeper/context'
import { startScheduler } from '@tokenkeeper/queue'
import { openWatchedContext } from './open.ts'

await runUntilSignal(async (stack) => {
  const context = stack.use(await openWatchedContext())
  stack.use(await startScheduler(await context.connectRedis()))
})
