/**
 * The worker of production, but for what production has no switch for: a clock that tests move (CLOCK_FILE), and a
 * death by SIGKILL at a named point (KILL_POINT) when it is reached for the KILL_NTH time.
 */
import { loadConfig } from '@tokenkeeper/config'
import { createContext, runUntilSignal } from '@tokenkeeper/context'
import { startWorkers } from '@tokenkeeper/queue'
import { openClockFile } from '@tokenkeeper/testkit'

const { CLOCK_FILE, KILL_POINT, KILL_NTH = '1', ...env } = process.env
let left = Number(KILL_NTH)

async function hook(point: string): Promise<void> {
  if (point !== KILL_POINT || --left > 0) return
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
}

await runUntilSignal(async (stack) => {
  const overrides = { hook, ...(CLOCK_FILE && { clock: openClockFile(CLOCK_FILE) }) }
  const context = stack.use(await createContext(loadConfig(env), overrides))
  stack.use(await startWorkers(await context.connectRedis()))
  context.loggers('worker').info('worker is ready')
})
