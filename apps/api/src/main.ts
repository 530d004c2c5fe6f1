import { loadConfig, readEnv } from '@tokenkeeper/config'
import { createContext, runUntilSignal } from '@tokenkeeper/context'
import { startApi } from './start.ts'

await runUntilSignal(async (stack) => {
  const context = stack.use(await createContext(loadConfig(readEnv().variables)))
  stack.use(await startApi(context))
})
