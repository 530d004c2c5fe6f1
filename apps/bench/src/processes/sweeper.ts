/**
 * A process that sweeps when it is told to, and tells how long that took, how many accounts it looked at and the most
 * memory that it ever held. The environment is a worker's.
 */
import { loadConfig, readEnv } from '@tokenkeeper/config'
import { createContext, runUntilSignal } from '@tokenkeeper/context'
import { sweep } from '@tokenkeeper/queue'

export interface Swept {
  readonly ms: number
  readonly swept: number
  readonly peakBytes: number
}

await runUntilSignal(async (stack) => {
  const context = stack.use(await createContext(loadConfig(readEnv().variables)))
  const deps = await context.connectRedis()
  process.on('message', async () => {
    const begun = performance.now()
    const swept = await sweep(deps)
    const result: Swept = {
      ms: performance.now() - begun,
      swept,
      peakBytes: process.resourceUsage().maxRSS * 1024,
    }
    process.send?.(result)
  })
})
