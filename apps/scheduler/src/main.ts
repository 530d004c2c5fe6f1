import { loadConfig, readEnv } from '@tokenkeeper/config'
import { createContext, runUntilSignal } from '@tokenkeeper/context'
import { startHealthServer } from '@tokenkeeper/health'
import { startScheduler } from '@tokenkeeper/queue'

await runUntilSignal(async (stack) => {
  const context = stack.use(await createContext(loadConfig(readEnv().variables)))
  stack.use(await startHealthServer(context))
  const deps = await context.connectRedis()
  stack.use(await startScheduler(deps))
  const schedules = (await context.store.schedules.list()).map(({ id, pattern, tz, isOn }) => ({
    id,
    pattern,
    tz,
    isOn,
  }))
  context.loggers('scheduler').info({ schedules }, 'scheduler is ready')
})
