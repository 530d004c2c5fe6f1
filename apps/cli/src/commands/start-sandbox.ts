import { startApi } from '@tokenkeeper/api'
import { type Environment, loadConfig } from '@tokenkeeper/config'
import { systemClock } from '@tokenkeeper/core'
import { startRun } from '@tokenkeeper/queue'
import { loggersFor, openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { findRedis } from '../redis/find-redis.ts'
import { followRun } from '../run/follow-run.ts'
import { startServices } from '../run/services.ts'
import { renderSummary, summarize, wentWell } from '../run/summary.ts'
import { eraseQueues } from '../sandbox/erase-queues.ts'
import { keepBusy } from '../sandbox/keep-busy.ts'
import { populate } from '../sandbox/populate.ts'
import { openSandbox } from '../sandbox/sandbox.ts'
import { countWorkingTokens } from '../sandbox/verify.ts'

const ACCOUNTS = 25

interface SandboxOptions {
  readonly environment: Environment
  readonly dataDir: string
  /** Nobody asked for the sandbox: there is nothing else to start. */
  readonly unconfigured: boolean
  readonly once: boolean
}

/** Shows the real work on sample accounts: a real PDS, connected accounts that are all due, one refresh-all. */
export async function startSandbox(options: SandboxOptions, output: Output, signal: AbortSignal): Promise<number> {
  const begun = systemClock.monotonic()
  greet(options.unconfigured, output)
  await using stack = new AsyncDisposableStack()
  const sandbox = stack.use(await openSandbox(options.environment.variables, options.dataDir))
  output.say(`  PDS       ${sandbox.pds.url}, a real Bluesky host on this machine alone`)
  const config = loadConfig(sandbox.env)
  const logger = loggersFor(config, output)('redis')
  const redis = stack.use(await findRedis(config, { clock: systemClock, logger }))
  output.say(`  Redis     ${redis.where}; keys below ${config.queue.prefix}, erased at the end`)
  const context = stack.use(await openContext({ ...config, redis: redis.config }, output))
  output.say(`  Data      ${config.dataDir}, made anew at each start`)
  if (signal.aborted) return stopped(options.once, output)

  const deps = await context.connectRedis()
  await eraseQueues(deps.queues) // those of a sandbox that was killed
  stack.defer(() => eraseQueues(deps.queues).catch(() => {})) // Redis may be gone; the next start does it
  output.say(`  Accounts  ${ACCOUNTS}: made at the PDS, connected with app passwords, all of them due now …`)
  await populate(context, sandbox.pds, ACCOUNTS)
  output.say()
  if (signal.aborted) return stopped(options.once, output)

  const run = await startRun(deps, {
    scheduleId: 'sandbox',
    occurrence: context.makeId(),
    filter: {},
    requestedBy: 'sandbox',
  })
  stack.use(await startServices(deps))
  const finished = await followRun(context, run.id, signal)
  if (finished === null) return stopped(options.once, output)
  const working = await countWorkingTokens(context, sandbox.pds)
  const summary = summarize(finished, systemClock.monotonic() - begun, working)
  output.say()
  output.say(renderSummary(summary))
  output.result(summary)
  if (options.once) return wentWell(summary) ? 0 : 1

  const { url } = stack.use(await startApi(context))
  output.say(staysUp(url, config.api.adminKey?.reveal() ?? ''))
  await keepBusy(context, signal)
  return stopped(false, output)
}

function greet(unconfigured: boolean, output: Output): void {
  output.say('Tokenkeeper sandbox: the real work, on sample accounts. Nothing leaves this machine.')
  output.say(
    unconfigured
      ? 'Nothing is configured yet. To keep your own account: pnpm tokenkeeper accounts add bluesky, then start again.'
      : 'Your own accounts are left alone. To keep them: pnpm start',
  )
  output.say()
}

const staysUp = (url: string, key: string) => `
It stays up now and looks every minute for what is due; here, one account is made due each minute.
  Queues and jobs: ${url}/queues, log in with the key of this sandbox: ${key}
From another terminal:
  pnpm tokenkeeper accounts list --sandbox
  pnpm tokenkeeper log --sandbox
Ctrl-C ends it.
`

/** A run that was to be waited for did not end well. */
function stopped(once: boolean, output: Output): number {
  output.say('Stopped.')
  return once ? 1 : 0
}
