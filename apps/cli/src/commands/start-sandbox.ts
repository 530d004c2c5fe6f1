import { startApi } from '@tokenkeeper/api'
import { type Environment, loadConfig } from '@tokenkeeper/config'
import { systemClock } from '@tokenkeeper/core'
import { startRun } from '@tokenkeeper/queue'
import { loggersFor, openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { findRedis } from '../redis/find-redis.ts'
import { followPages } from '../run/follow-pages.ts'
import { followRun } from '../run/follow-run.ts'
import { startServices } from '../run/services.ts'
import { renderSummary, summarize, wentWell } from '../run/summary.ts'
import { eraseQueues } from '../sandbox/erase-queues.ts'
import { keepBusy } from '../sandbox/keep-busy.ts'
import { PAGES, populate } from '../sandbox/populate.ts'
import { openSandbox } from '../sandbox/sandbox.ts'
import { verifyTokens } from '../sandbox/verify.ts'
import { describeAccounts, describeGraph, greeting, staysUp } from '../sandbox/words.ts'

interface SandboxOptions {
  readonly environment: Environment
  readonly dataDir: string
  /** Nobody asked for the sandbox: there is nothing else to start. */
  readonly unconfigured: boolean
  readonly once: boolean
}

/**
 * Shows the real work on sample accounts: a real PDS, an emulator of Meta's hosts, connected accounts that are all due,
 * one refresh-all.
 */
export async function startSandbox(options: SandboxOptions, output: Output, signal: AbortSignal): Promise<number> {
  const begun = systemClock.monotonic()
  output.say(greeting(options.unconfigured))
  await using stack = new AsyncDisposableStack()
  const sandbox = stack.use(await openSandbox(options.environment.variables, options.dataDir))
  const { pds, graph } = sandbox
  output.say(`  PDS       ${pds.url}, a real Bluesky host on this machine alone`)
  output.say(describeGraph(graph))
  const config = loadConfig(sandbox.env)
  const logger = loggersFor(config, output)('redis')
  const redis = stack.use(await findRedis(config, { clock: systemClock, logger }))
  output.say(`  Redis     ${redis.where}; keys below ${config.queue.prefix}, erased at the end`)
  const { clock } = graph.emulator
  const context = stack.use(await openContext({ ...config, redis: redis.config }, output, { clock }))
  output.say(`  Data      ${config.dataDir}, made anew at each start`)
  if (signal.aborted) return stopped(options.once, output)

  const deps = await context.connectRedis()
  await eraseQueues(deps.queues) // those of a sandbox that was killed
  stack.defer(() => eraseQueues(deps.queues).catch(() => {})) // Redis may be gone; the next start does it
  output.say(`  Accounts  ${describeAccounts()} …`)
  await populate(context, sandbox)
  output.say()
  if (signal.aborted) return stopped(options.once, output)

  const run = await startRun(deps, {
    scheduleId: 'sandbox',
    occurrence: context.makeId(),
    filter: { dueBefore: clock.now() },
    requestedBy: 'sandbox',
  })
  stack.use(await startServices(deps))
  const finished = await followRun(context, run.id, signal)
  if (finished === null) return stopped(options.once, output)
  const behind = await followPages(context, signal)
  if (signal.aborted) return stopped(options.once, output)
  if (behind > 0) output.say(`The Pages of ${behind} accounts were not fetched in time.`)
  const verified = await verifyTokens(context, pds)
  const summary = summarize(finished, systemClock.monotonic() - begun, verified)
  output.say()
  output.say(renderSummary(summary, PAGES))
  output.result(summary)
  if (options.once) return wentWell(summary, PAGES) ? 0 : 1

  const { url } = stack.use(await startApi(context))
  const [example] = await context.store.accounts.list({ platform: 'meta', afterId: null, limit: 1 })
  output.say(staysUp(url, config, graph, example!))
  await keepBusy(context, signal)
  return stopped(false, output)
}

/** A run that was to be waited for did not end well. */
function stopped(once: boolean, output: Output): number {
  output.say('Stopped.')
  return once ? 1 : 0
}
