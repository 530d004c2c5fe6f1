import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, readEnv } from '@tokenkeeper/config'
import type { AppContext } from '@tokenkeeper/context'
import type { Account } from '@tokenkeeper/core'
import type { FreshLogin } from '@tokenkeeper/providers'
import { openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { AGE_MS } from '../sandbox/graph.ts'
import { createLogins } from '../sandbox/logins.ts'
import { type Hosts, startHosts } from '../sandbox/sandbox.ts'
import { sandboxEnv } from '../sandbox/sandbox-env.ts'
import { tokenReaders } from '../sandbox/verify.ts'
import { type Checked, checkCopy } from './check.ts'
import { copyOf } from './copy.ts'

const LOGINS_AT_ONCE = 5

export interface Rehearsal {
  readonly checked: readonly Checked[]
  /** Answers that were left in the spool. */
  readonly spooled: number
}

/**
 * Refreshes copies of accounts in a database of their own, which goes with its directory at the end: the tokens are those
 * of made-up users of hosts in this process, the engine and its providers are the real ones. Null if the signal came
 * first. Rejects with SANDBOX_FAILED.
 */
export async function rehearse(
  accounts: readonly Account[],
  output: Output,
  signal: AbortSignal,
): Promise<Rehearsal | null> {
  const dir = await mkdtemp(join(tmpdir(), 'tokenkeeper-test-refresh-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(dir, { recursive: true, force: true }))
  const hosts = stack.use(await startHosts())
  const { variables } = readEnv()
  const config = loadConfig(sandboxEnv({ LOG_LEVEL: 'warn', ...variables }, dir, hosts))
  const checked = await refreshCopies({ config, hosts, accounts }, output, signal)
  if (signal.aborted) return null
  return { checked, spooled: await filesIn(join(config.dataDir, 'spool')) }
}

interface Stage {
  readonly config: ReturnType<typeof loadConfig>
  readonly hosts: Hosts
  readonly accounts: readonly Account[]
}

async function refreshCopies({ config, hosts, accounts }: Stage, output: Output, signal: AbortSignal) {
  const { control, clock } = hosts.graph.emulator
  await using context = await openContext(config, output, { clock })
  using progress = output.progress('rehearsing', accounts.length)
  const logins = createLogins(context.providerOptions, hosts)
  // The users log in long ago; then the emulator's clock moves on to today, and their tokens near their end.
  const loggedInAt = clock.now()
  const fresh = await mapInLanes(accounts, ({ platform }, index) => logins[platform](index + 1))
  control.advanceClock({ ms: AGE_MS })
  const readers = tokenReaders(config, hosts.pds)
  const checked: Checked[] = []
  for (const [index, real] of accounts.entries()) {
    if (signal.aborted) return checked
    const copy = copyOf(real, datedBack(fresh[index]!), context.sealer, loggedInAt, clock.now())
    checked.push(await refreshCopy(context, copy, readers[real.platform]))
    progress.update(checked.length)
  }
  return checked
}

/** A PDS lives by today's time: what it gave is dated as if it had been given when the others were. */
function datedBack(login: FreshLogin): FreshLogin {
  if (login.platform !== 'bluesky') return login
  const back = (time: number | null) => time && time - AGE_MS
  return { ...login, accessExpiresAt: back(login.accessExpiresAt), diesAt: back(login.diesAt) }
}

async function mapInLanes<T, R>(items: readonly T[], action: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const rest = items.entries()
  const lane = async () => {
    for (const [index, item] of rest) results[index] = await action(item, index)
  }
  await Promise.all(Array.from({ length: LOGINS_AT_ONCE }, lane))
  return results
}

async function refreshCopy(
  context: AppContext,
  copy: Account,
  readOwner: (token: string) => Promise<string | null>,
): Promise<Checked> {
  await context.store.accounts.insert(copy)
  const outcome = await context.engine.refreshAccount(copy.id, { type: 'test' })
  return checkCopy(context, copy, outcome, readOwner)
}

async function filesIn(dir: string): Promise<number> {
  return existsSync(dir) ? (await readdir(dir)).length : 0
}
