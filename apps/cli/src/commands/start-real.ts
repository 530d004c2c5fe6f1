import { startApi } from '@tokenkeeper/api'
import { type Environment, loadConfig } from '@tokenkeeper/config'
import type { AppContext } from '@tokenkeeper/context'
import { hasCode, systemClock, toCodedError } from '@tokenkeeper/core'
import { startRun, TAKES_DUE_WITHIN_MS, type WorkerDeps } from '@tokenkeeper/queue'
import type { Store } from '@tokenkeeper/store'
import { loggersFor, openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { describePlatforms } from '../platforms.ts'
import { findRedis } from '../redis/find-redis.ts'
import { followRun } from '../run/follow-run.ts'
import { startServices } from '../run/services.ts'
import { renderSummary, summarize, wentWell } from '../run/summary.ts'
import { untilAborted } from '../run/until-aborted.ts'

interface RealOptions {
  readonly environment: Environment
  readonly once: boolean
}

/** Keeps the accounts that were connected here, in the foreground. */
export async function startReal({ environment, once }: RealOptions, output: Output, signal: AbortSignal) {
  const begun = systemClock.monotonic()
  output.say('Tokenkeeper, with your own accounts. (The sandbox: pnpm start --sandbox)')
  const config = loadConfig(environment.variables)
  await using stack = new AsyncDisposableStack()
  const logger = loggersFor(config, output)('redis')
  const redis = stack.use(await findRedis(config, { clock: systemClock, logger }))
  output.say(`  Redis     ${redis.where}`)
  const context = stack.use(await openContext({ ...config, redis: redis.config }, output))
  output.say(`  Data      ${config.dataDir}`)
  output.say(`  Platforms ${describePlatforms([...context.providers.keys()])}`)
  output.say(`  Accounts  ${await describeAccounts(context.store)}\n`)
  const deps = await context.connectRedis()
  const run = once ? await startRun(deps, dueRun(deps)) : null
  stack.use(await startServices(deps))
  if (run === null) {
    output.say(`  API       ${await serveApi(context, stack)}\n`)
    output.say('Every minute it looks for what is due. Ctrl-C ends it.\n')
    await untilAborted(signal)
    output.say('Stopping: refreshes in flight are finished first.')
    return 0
  }
  const finished = await followRun(context, run.id, signal)
  if (finished === null) {
    output.say('Stopped before the run had ended; the next start goes on with it.')
    return 1
  }
  const summary = summarize(finished, systemClock.monotonic() - begun, null)
  output.say(renderSummary(summary))
  output.result(summary)
  return wentWell(summary) ? 0 : 1
}

/** Refreshing goes on without it: its port may well be taken on a machine where somebody develops. */
async function serveApi(context: AppContext, stack: AsyncDisposableStack): Promise<string> {
  try {
    const { url } = stack.use(await startApi(context))
    return `${url}; queues at ${url}/queues`
  } catch (error) {
    if (hasCode(error, 'LISTEN_FAILED')) return `off: ${toCodedError(error).message}`
    throw error
  }
}

async function describeAccounts({ accounts }: Store): Promise<string> {
  const count = await accounts.count({})
  if (count === 0) return 'none yet; connect one: pnpm tokenkeeper accounts add bluesky'
  const inNeed = await accounts.count({ statusIn: ['needs_action', 'needs_reconnect', 'quarantined'] })
  return inNeed === 0 ? `${count}` : `${count}; ${inNeed} in need of a person: pnpm tokenkeeper accounts list`
}

/** As a scheduled run. */
function dueRun({ clock, makeId }: Pick<WorkerDeps, 'clock' | 'makeId'>): Parameters<typeof startRun>[1] {
  const filter = { dueBefore: clock.now() + TAKES_DUE_WITHIN_MS }
  return { scheduleId: 'once', occurrence: makeId(), filter, requestedBy: 'cli' }
}
